"""The bundled recordings are what they say."""

import subprocess
import sys

import pytest

import traces
from traces.generated import GENERATED


@pytest.mark.parametrize(
    ("task", "tokens", "samples"),
    [("intent", 8222, 127), ("summary", 8479, 13), ("translation", 8251, 40)],
)
def test_task_domains(task, tokens, samples):
    """Tokens, samples and shape of the three DeepSeek-V2-Lite domains."""
    trace = traces.load(f"dsv2lite-{task}")
    assert (trace.num_tokens, trace.num_layers, trace.top_k) == (tokens, 26, 6)
    assert trace.num_experts == 64
    assert len(trace.sample_lengths) == samples
    counts = trace.split(tokens).counts().counts
    assert (counts.sum(axis=2) == tokens * 6).all()


def test_olmoe_counts():
    """Six domains as steps; one figure of the publication."""
    trace = traces.load("olmoe-domains")
    assert trace.counts.shape == (6, 3, 64)
    assert trace.counts[0, 0, 0] == 204013
    assert trace.step_tokens[0] == 208896


def test_azure_conversations():
    """An hour of Azure's conversations, as published: 19,366 requests."""
    trace = traces.load("azure-2023-conv", "request")
    assert trace.num_requests == 19_366
    assert trace.duration_s == pytest.approx(3501.721937)
    assert (trace.prompt_tokens[0], trace.output_tokens[0]) == (374, 44)
    assert trace.provenance["first_request"].startswith("2023-11-16 18:15:46.68059")


def test_mooncake_conversations():
    """All 12,031 requests with their prefix blocks."""
    trace = traces.load("mooncake-conv", "request")
    assert trace.num_requests == 12_031
    assert trace.duration_s == pytest.approx(3536.999)
    assert len(trace.prefix_hashes) == 288_500
    assert (trace.prefix_blocks == -(-trace.prompt_tokens // 512)).all()


def test_kinds_are_listed_apart():
    """All names without a kind; another kind is refused."""
    assert traces.available("request") == ["azure-2023-conv", "mooncake-conv"]
    assert "dsv2lite-intent" in traces.available("routing")
    assert traces.available() == sorted(traces.available("routing") + traces.available("request"))
    with pytest.raises(ValueError, match="kind = 'x' is not one of routing, request"):
        traces.available("x")
    with pytest.raises(ValueError, match="mooncake-conv: a request trace; a routing trace is"):
        traces.load("mooncake-conv", "routing")


def test_the_wheel_stays_small():
    """A bundled trace is below a mebibyte."""
    for name in set(traces.available()) - set(GENERATED):
        assert traces.open(name).path.stat().st_size < 2**20, name


@pytest.mark.parametrize("name", sorted(set(traces.available()) - set(GENERATED)))
def test_provenance_is_stated(name):
    """Every bundled file says where it is from and under which licence."""
    provenance = traces.open(name).provenance
    assert {"origin", "commit", "licence"} <= set(provenance)


def test_unknown_names_and_missing_files(tmp_path):
    """The nearest name is suggested; a missing path is no name."""
    with pytest.raises(ValueError, match="unknown trace 'olmoe': did you mean 'olmoe-domains'"):
        traces.load("olmoe")
    with pytest.raises(FileNotFoundError, match="there is no such trace file"):
        traces.load(tmp_path / "none.parquet")


def test_loading_leaves_pandas_alone():
    """Reading a trace takes pyarrow and nothing bigger."""
    code = "import sys, traces; traces.load('olmoe-domains'); print('pandas' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_import_is_light():
    """`import traces` waits with pyarrow until a file is opened."""
    code = "import sys, traces; print('pyarrow' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"

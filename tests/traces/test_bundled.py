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

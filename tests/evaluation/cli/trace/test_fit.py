"""`podlab trace fit` of several recordings, as a user types it."""

import json

import numpy as np
import pytest

import traces
from tests.evaluation.cli.trace.calls import assert_usage_error, podlab
from traces.generators import loads
from traces.generators.loads import Curve, LoadLaw

RANDOM = np.random.default_rng(0)
NAMES = ("decode_in100out50", "decode_in100out800", "prefill_in64", "prefill_in512")
#: A truth with two directions.
TRUTH = LoadLaw(
    "toy",
    2,
    RANDOM.normal(0, 0.6, (4, 32)),
    RANDOM.normal(0, 1, (2, 4, 32)),
    (
        Curve("prefill", "prompt_tokens", (64, 512), ((0.3, 0.2), (0.3, -0.2))),
        Curve("decode", "output_tokens", (50, 800), ((-0.2, -0.1), (-0.4, 0.1))),
    ),
)


@pytest.fixture
def recorded(tmp_path):
    """Files in SGLang's form, with a dense layer in front, and their paths."""
    paths = []
    for name in NAMES:
        counts = np.zeros((5, 32), np.int64)
        counts[1:] = np.random.default_rng(len(paths)).multinomial(400_000, TRUTH.share(name))
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(json.dumps({"logical_count": counts.tolist()}))
    return paths


def test_the_directions_of_the_truth_are_found(recorded, tmp_path):
    """Two of them carry nearly all, and the law has the loads of a length between."""
    out = tmp_path / "law.toml"
    result = podlab("fit", *recorded, out, "--top-k", 2, "--ranks", 8, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["directions"], found["model"]) == (2, "unknown")
    assert found["explained"] > 0.98
    assert max(each["missed"] for each in found["conditions"]) < 0.01
    apart = {(pair["plan"], pair["serve"]): pair for pair in found["pairs"]}
    assert len(apart) == 12
    far = apart[NAMES[1], NAMES[2]]
    wanted = loads.distance(TRUTH.share(NAMES[1]), TRUTH.share(NAMES[2]))
    assert far["distance"]["total_variation"] == pytest.approx(wanted.total_variation, abs=0.01)
    # each plans with the noise of its own sample, and four layers are few
    misses = [pair["recorded"] - pair["by_law"] for pair in found["pairs"]]
    assert abs(np.mean(misses)) < 0.03
    assert max(map(abs, misses)) < 0.1
    assert far["recorded"] < min(found["own"].values())
    law = loads.load(out)
    assert (
        loads.distance(law.share("prefill_in181"), TRUTH.share("prefill_in181")).total_variation
        < 0.02
    )


def test_a_trace_of_conditions_is_several_recordings(recorded, tmp_path):
    """It gives the law of its files, and the table names what differs most."""
    bundle = tmp_path / "all.parquet"
    assert podlab("import", *recorded, bundle, "--top-k", 2).exit_code == 0
    separate, together = tmp_path / "a.toml", tmp_path / "b.toml"
    podlab("fit", *recorded, separate, "--top-k", 2, "--ranks", 8)
    result = podlab("fit", bundle, together, "--ranks", 8)
    assert result.exit_code == 0, result.output
    assert separate.read_text() == together.read_text()
    assert "4 recordings differ along 2 directions" in result.stdout
    assert "for decode, prefill" in result.stdout


def test_names_without_lengths_are_domains_of_their_phase(tmp_path):
    """So that a workload can use them."""
    for number, name in enumerate(("chat", "code")):
        counts = np.random.default_rng(number).integers(50, 500, (6, 2, 8))
        counts[..., -1] += counts.sum(axis=2) % 2
        traces.save(traces.RoutingTrace(counts, "toy", 2, "decode"), tmp_path / f"{name}.parquet")
    files = [tmp_path / "chat.parquet", tmp_path / "code.parquet"]
    result = podlab("fit", *files, tmp_path / "law.toml", "--ranks", 4)
    assert result.exit_code == 0, result.output
    assert "Two recordings always do" in result.stdout
    law = loads.load(tmp_path / "law.toml")
    assert set(law.recordings) == {"decode:chat", "decode:code"}
    assert {(curve.phase, curve.domain) for curve in law.curves} == {
        ("decode", "chat"),
        ("decode", "code"),
    }


def test_how_alike_requests_are_is_measured_where_it_is_recorded(tmp_path):
    """Bundled tokens say where samples end; counts leave an assumption, said plainly."""
    names = ("dsv2lite-intent", "dsv2lite-summary", "dsv2lite-translation")
    result = podlab("fit", *names, tmp_path / "law.toml", "--ranks", 8)
    assert result.exit_code == 0, result.output
    assert 0.002 < loads.load(tmp_path / "law.toml").sequence_correlation < 0.004
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{0}", "{0}"], "both named 'decode_in100out50'"),
        (["{0}", "nope.json"], "there is no such file"),
        (
            ["{0}", "{1}", "--ranks", "7", "--slots", "20"],
            "--slots 20 do not divide over --ranks 7",
        ),
        (["{0}", "{1}", "--ranks", "8", "--slots", "16"], "32 experts"),
        (["{0}", "{1}", "--directions", "2"], "1 <= directions <= 1"),
        (["{0}", "{1}", "--phase", "training"], "--phase training is not one of"),
        (["{0}", "{1}", "--domains", "3"], "--domains is for a single recording"),
        (["{0}", "--ranks", "8"], "--ranks is for several recordings, and one is given"),
        (["{0}"], "has 1 step < 2"),
        (["{0}", "azure-2023-conv"], "there is no such file"),
        (["{0}", "dsv2lite-intent"], "differs from"),
        (["{0}", "{1}", "--sequence-correlation", "2"], "outside 0 <= sequence_correlation"),
        (["{0}", "{1}", "--experts", "64"], "not experts = 64"),
    ],
)
def test_wrong_calls(recorded, tmp_path, words, message):
    """One line that says what to give."""
    words = [word.format(*recorded) for word in words]
    result = podlab("fit", *words, tmp_path / "law.toml", "--top-k", 2)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert message in result.stderr.splitlines()[-1]


def test_top_k_comes_from_a_preset_of_the_model(recorded, tmp_path):
    """Without one, it has to be given."""
    result = podlab("fit", *recorded, tmp_path / "law.toml")
    assert_usage_error(result, "does not say top_k; give it (--top-k)")
    # the preset's experts are not those of the files
    result = podlab("fit", *recorded, tmp_path / "law.toml", "--model", "deepseek-r1")
    assert_usage_error(result, "a layer has 32 numbers, not experts = 256")

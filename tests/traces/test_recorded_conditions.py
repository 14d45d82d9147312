"""Several recordings become the conditions of one trace."""

import json

import numpy as np
import pytest

import traces
from tests.traces.test_tokens import trace as tokens
from traces.condition_names import condition_names
from traces.recorded_conditions import read_conditions

DECODE = [[1, 2, 3], [3, 2, 1]]  # [layers, experts]
PREFILL = [[4, 0, 2], [0, 6, 0]]


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a JSON of counts and returns its path."""

    def write(name, content):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    return write


def test_a_file_is_a_step_named_after_it(written, tmp_path):
    """Order, names, tokens and header stay through save and load."""
    paths = [
        written("decode_in500out1500", {"logical_count": [[0] * 3, *DECODE]}),
        written("prefill_in1024", {"logical_count": [[0] * 3, *PREFILL]}),
    ]
    trace = read_conditions(paths, model="toy", top_k=2, phase="decode")
    traces.save(trace, tmp_path / "a.parquet")
    stored = traces.load(tmp_path / "a.parquet")
    assert stored.counts.tolist() == [DECODE, PREFILL]
    assert stored.step_tokens.tolist() == [3, 3]  # six choices a layer, two a token
    assert (stored.model, stored.top_k, stored.phase) == ("toy", 2, "decode")
    names = ("decode_in500out1500", "prefill_in1024")
    assert condition_names(stored) == names
    assert condition_names(traces.open(tmp_path / "a.parquet")) == names
    assert stored.provenance["layers"] == "1 2"
    assert stored.provenance["dense layers"] == "0"


def test_steps_of_a_file_are_summed(written):
    """A recording of several steps is one condition all the same."""
    trace = read_conditions([written("a", [DECODE, PREFILL]), written("b", DECODE)], top_k=2)
    assert trace.counts.tolist() == [np.add(DECODE, PREFILL).tolist(), DECODE]
    assert trace.step_tokens.tolist() == [6, 3]


def test_traces_of_podlab_are_recordings_too(tmp_path):
    """Of tokens and of counts; the provenance of each is kept, once where they agree."""
    first = tokens(provenance={"licence": "MIT", "task": "a"})
    second = tokens(provenance={"licence": "MIT", "task": "b"}, phase="decode").split(1).counts()
    for name, trace in (("a", first), ("b", second)):
        traces.save(trace, tmp_path / f"{name}.parquet")
    trace = read_conditions([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    whole = second.counts.sum(axis=0).tolist()
    assert trace.counts.tolist() == [whole, whole]
    assert trace.step_tokens.tolist() == [first.num_tokens] * 2
    assert trace.phase == "mixed"
    assert trace.provenance == {
        "licence": "MIT",
        "0 task": "a",
        "1 task": "b",
        "steps": "one a condition: a, b",
        "phases": "unknown, decode",
    }
    assert traces.condition_phases(trace) == ("unknown", "decode")


def test_tokens_of_other_tools_are_counted(tmp_path):
    """Folders of queries: each is a condition, of all its queries' tokens."""
    for name, ids in (("mmlu", [[[0, 1]], [[0, 2]]]), ("gsm8k", [[[2, 1]]])):
        (tmp_path / name).mkdir()
        for query in (0, 1):
            (tmp_path / name / f"{query}.json").write_text(json.dumps(ids))
    paths = [tmp_path / "mmlu", tmp_path / "gsm8k"]
    trace = read_conditions(paths, form="selection-json", experts=3)
    assert trace.counts.tolist() == [[[4, 2, 2]], [[0, 2, 2]]]
    assert trace.step_tokens.tolist() == [4, 2]
    assert condition_names(trace) == ("mmlu", "gsm8k")


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ([[1, 2, 3]], r"b\.json: layers = 1 differs from 2 of .*a\.json; conditions are"),
        ([[1, 2], [3, 4]], r"b\.json: experts = 2 differs from 3 of .*a\.json"),
        ([[1, 2, 3], [3, -2, 1]], r"b\.json \(counts-json\): .*expert 1 is -2"),
    ],
)
def test_other_shapes_are_refused(written, other, text):
    """Both files and both numbers are named."""
    with pytest.raises(ValueError, match=text):
        read_conditions([written("a", DECODE), written("b", other)], top_k=2)


def test_other_layers_of_the_model_are_refused(written):
    """As many layers, but layers 1 and 2 in one file and 0 and 1 in the other."""
    paths = [written("a", [[0] * 3, *DECODE]), written("b", [*DECODE, [0] * 3])]
    with pytest.raises(ValueError, match="layers of the model = '0 1' differs from '1 2'"):
        read_conditions(paths, top_k=2)


def test_names_tell_conditions_apart(written, tmp_path):
    """Two files of one name, and a name that could not be read back."""
    (tmp_path / "x").mkdir()
    with pytest.raises(ValueError, match="are both named 'a'; rename one"):
        read_conditions([written("a", DECODE), written("x/a", DECODE)], top_k=2)
    with pytest.raises(ValueError, match="a condition's name has no ', '; rename it"):
        read_conditions([written("a, b", DECODE)], top_k=2)
    with pytest.raises(ValueError, match="0 recordings"):
        read_conditions([])


def test_a_sum_has_a_limit(written):
    """Counts of all steps stay below 2**31."""
    path = written("a", [[[2**31 - 1, 0]], [[1, 0]]])
    with pytest.raises(ValueError, match=r"a\.json, all steps summed: .* is 2147483648, outside"):
        read_conditions([path], top_k=1)


def test_requests_are_no_conditions(tmp_path):
    """A trace of requests is refused by name."""
    traces.save(traces.load("azure-2023-conv").slice(0, 3), tmp_path / "r.parquet")
    with pytest.raises(ValueError, match=r"r\.parquet: holds requests, not routing"):
        read_conditions([tmp_path / "r.parquet"])


def test_only_such_traces_have_names():
    """Steps of a recording have none, nor do the steps that are left of a cut."""
    olmoe = traces.load("olmoe-domains")
    with pytest.raises(ValueError, match="6 names are there for 2 steps"):
        condition_names(olmoe.slice(0, 2))
    with pytest.raises(ValueError, match="have no names; make the trace with read_conditions"):
        condition_names(traces.RoutingTrace([DECODE], "toy", 2))


def test_a_trace_of_conditions_brings_all_of_its_conditions(written, tmp_path):
    """With their phases, beside other files and bundled traces."""
    paths = [written("decode_in5out5", DECODE), written("prefill_in9", PREFILL)]
    traces.save(read_conditions(paths, model="toy", top_k=2), tmp_path / "two.parquet")
    more = read_conditions([tmp_path / "two.parquet", written("c", DECODE)], model="toy", top_k=2)
    assert condition_names(more) == ("decode_in5out5", "prefill_in9", "c")
    assert traces.condition_phases(more) == ("decode", "prefill", "unknown")
    assert more.counts.tolist() == [DECODE, PREFILL, DECODE]
    assert condition_names(read_conditions(["olmoe-domains"]))[:2] == ("arxiv", "book")

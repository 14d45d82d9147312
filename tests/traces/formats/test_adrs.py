"""ADRS's load history: read record by record, written, refused."""

import json

import numpy as np
import pytest

from traces import RoutingTrace
from traces.exchange import export_trace, import_trace, read_foreign
from traces.formats import chunks, recognised
from traces.formats.about import About

ABOUT = About(model="m", top_k=2)
COUNTS = np.random.default_rng(0).integers(0, 100, (5, 2, 3))


def test_round_trip(tmp_path, monkeypatch):
    """What is written is what the field's evaluators load, and reads back in chunks."""
    trace = RoutingTrace(COUNTS, "m", 2)
    path = tmp_path / "expert-load.json"
    export_trace(trace, path, "adrs")
    history = json.loads(path.read_text())["load_history"]
    np.testing.assert_array_equal([record["logical_expert_load"] for record in history], COUNTS)
    assert recognised(path) == "adrs"
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 2 * 3 * 8)
    assert [t.num_steps for t in read_foreign(path, about=ABOUT)] == [2, 2, 1]
    stored = import_trace(path, tmp_path / "a.parquet", about=ABOUT)
    assert stored.content_hash == trace.content_hash
    export_trace(stored, tmp_path / "b.json", "adrs")
    assert (tmp_path / "b.json").read_bytes() == path.read_bytes()


def test_other_keys_do_no_harm(tmp_path):
    """Of the file and of a record."""
    record = {"time": True, "logical_expert_load": [[1, 2]], "note": "]}"}
    (tmp_path / "a.json").write_text(json.dumps({"model": "[x", "load_history": [record], "z": 1}))
    assert next(read_foreign(tmp_path / "a.json", about=ABOUT)).counts.tolist() == [[[1, 2]]]


def with_load(load):
    """Return a history whose second step has ``load``."""
    good = {"logical_expert_load": [[1, 2], [3, 4]]}
    return {"load_history": [good, {"logical_expert_load": load}]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"load_history": []}, "the array is empty"),
        ({"other": []}, "no JSON of an object with an array 'load_history'"),
        ({"load_history": [{"x": 1}]}, "step 0 has no 'logical_expert_load'"),
        ({"load_history": [[1, 2]]}, "step 0 has no 'logical_expert_load'"),
        (with_load([1, 2]), r"step 1: logical_expert_load has shape \(2,\)"),
        (with_load([[1, 2]]), r"step 1: .* has shape \(1, 2\), step 0 has \(2, 2\)"),
        (with_load([[1, 2], [3]]), "step 1: logical_expert_load is ragged"),
        (with_load([[1, 2], [3, -4]]), "counts at step 1, layer 1, expert 1 is -4"),
        (with_load([[1, 2], [3, 0.5]]), r"counts at step 1, layer 1, expert 1 is 0\.5"),
        (with_load([[1, 2], [3, None]]), "step 1: .* holds other things than numbers"),
        (with_load([[1, 1], [1, True]]), "step 1: .* holds true or false"),
        (with_load([[1, 2], [3, float("nan")]]), "element 1 is no JSON: NaN"),
    ],
)
def test_what_is_wrong_has_its_step(tmp_path, content, said):
    """The step and the place in it are named, and nothing is left behind."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"a\.json \(adrs\): .*{said}"):
        import_trace(path, tmp_path / "x.parquet", "adrs", ABOUT)
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_a_cut_file_says_where(tmp_path):
    """In which record."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(with_load([[1, 2], [3, 4]]))[:-20])
    with pytest.raises(ValueError, match="is cut short in element 1"):
        list(read_foreign(path, about=ABOUT))

"""Counts in JSON: with and without SGLang's key, one step or several, refused with their place."""

import json

import numpy as np
import pytest

from lb.engines import sglang
from traces.exchange import import_trace, read_foreign
from traces.formats import chunks, counts_json, recognised
from traces.formats.about import About

ABOUT = About(model="m", top_k=2)
COUNTS = np.random.default_rng(0).integers(1, 100, (5, 2, 3))  # [steps, layers, experts]


def written(path, content):
    """Return the path of a JSON file."""
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def load(path):
    """Return what is imported from a file, with its format detected."""
    return import_trace(path, path.with_suffix(".parquet"), about=ABOUT).load()


@pytest.mark.parametrize("content", [{"logical_count": COUNTS.tolist()}, COUNTS.tolist()])
def test_several_steps(tmp_path, monkeypatch, content):
    """Lists of three levels are steps, whether bare or not, and read in chunks."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 2 * 3 * 4)  # two steps of int32
    path = written(tmp_path / "a.json", content)
    assert recognised(path) == "counts-json"
    assert [chunk.num_steps for chunk in read_foreign(path, about=ABOUT)] == [2, 2, 1]
    np.testing.assert_array_equal(load(path).counts, COUNTS)


@pytest.mark.parametrize("content", [{"logical_count": COUNTS[0].tolist()}, COUNTS[0].tolist()])
def test_one_step(tmp_path, content):
    """Lists of two levels are the layers of one step."""
    path = written(tmp_path / "a.json", content)
    assert recognised(path) == "counts-json"
    trace = load(path)
    np.testing.assert_array_equal(trace.counts, COUNTS[:1])
    assert "layers" not in trace.provenance  # the file may number the MoE layers alone


def test_dense_layers_are_left_out_and_named(tmp_path):
    """As in DeepSeek-R1: layers 0 to 2 of 61 are dense, 58 have 256 experts."""
    counts = np.random.default_rng(1).integers(0, 10**6, (61, 256))
    counts[:3] = 0
    trace = load(written(tmp_path / "a.json", {"logical_count": counts.tolist()}))
    np.testing.assert_array_equal(trace.counts, counts[None, 3:])
    assert trace.provenance["dense layers"] == "0 1 2"
    assert trace.provenance["layers"].split() == [str(layer) for layer in range(3, 61)]


def test_a_layer_is_dense_in_all_steps_or_not_at_all(tmp_path, monkeypatch):
    """A layer that only a late chunk uses stays, with its zeros; empty steps go."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1)  # a step at a time
    steps = [[[0, 0], [1, 1], [0, 0]], [[0, 0], [0, 0], [0, 0]], [[0, 0], [1, 1], [2, 0]]]
    trace = load(written(tmp_path / "a.json", {"logical_count": steps}))
    assert trace.counts.tolist() == [[[1, 1], [0, 0]], [[1, 1], [2, 0]]]
    assert trace.provenance == {"layers": "1 2", "dense layers": "0"}


def test_what_podlab_writes_for_sglang_is_read(tmp_path):
    """The file of ``lb.engines.sglang.write_logical_count`` has this form."""
    sglang.write_logical_count(COUNTS, tmp_path / "a.json")
    np.testing.assert_array_equal(load(tmp_path / "a.json").counts, COUNTS)


@pytest.mark.parametrize("others", [{}, {"physical_to_logical_map": [[0, 1]]}, {"note": [1, 2]}])
def test_the_only_lists_of_an_object_are_counts(tmp_path, others):
    """Whatever their name; a placement beside them does not count."""
    path = written(tmp_path / "a.json", others | {"load": COUNTS.tolist()})
    assert recognised(path) == "counts-json"
    np.testing.assert_array_equal(load(path).counts, COUNTS)


def test_lists_far_behind_are_found(tmp_path, monkeypatch):
    """Counts of an unusual name are not read if there are other lists after the first bytes."""
    monkeypatch.setattr(counts_json, "FIRST_BYTES", 20)
    path = written(tmp_path / "a.json", {"load": COUNTS.tolist(), "other": [[1]]})
    with pytest.raises(ValueError, match="holds the lists load, other"):
        list(read_foreign(path, "counts-json", ABOUT))


def test_times_go_with_their_steps(tmp_path, monkeypatch):
    """In chunks, and without those of empty steps."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1)  # a step at a time
    content = {"logical_count": [[[1, 1]], [[0, 0]], [[2, 0]]], "time_s": [5, 5.5, 7]}
    assert load(written(tmp_path / "a.json", content)).time_s.tolist() == [5, 7]


def test_other_keys_and_whole_floats_do_no_harm(tmp_path):
    """The key need not be the first, and 3.0 is 3 tokens."""
    content = {"rank": 0, "note": "]}", "logical_count": [[1, 3.0]], "utilization": None}
    assert load(written(tmp_path / "a.json", content)).counts.tolist() == [[[1, 3]]]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"logical_count": []}, "the array is empty"),
        ({"other": [1]}, "no JSON of an object with an array 'logical_count'"),
        ({"logical_count": [1, 2]}, "the array holds b'1, 2'; give arrays or objects"),
        ({"logical_count": [{"0": 1}]}, r"element 0 is \{'0': 1\}; give \[layers\]\[experts\]"),
        ([[]], r"element 0 is \[\]; give \[layers\]\[experts\]"),
        ([[[]]], r"step 0, layer 0 is \[\]; give the counts of its experts"),
        ([[1, 2], []], r"layer 1 is \[\]; give the counts"),
        ([[1, 2], [3]], "layer 1 has 1 counts, layer 0 has 2; give one for every expert"),
        ([[1, 2], [[3, 4]]], r"layer 1, expert 0 is \[3, 4\], no number of tokens"),
        ([[[1, 2]], [3, 4]], "step 1, layer 0 is 3; give the counts of its experts"),
        ([[[[1, 2]]]], r"step 0, layer 0, expert 0 is \[1, 2\], no number of tokens; give"),
        ([[[1, 2]], [[3, 4], [5, 6]]], r"step 1 has shape \(2, 2\), step 0 has \(1, 2\)"),
        ([[[1, 2], [3]]], "step 0, layer 1 has 1 counts, layer 0 has 2"),
        ([[1, 2], [3, -4]], "layer 1, expert 1 is -4, outside 0 <= counts < 2147483648; a count"),
        ([[[1, 2]], [[3, -4]]], "step 1, layer 0, expert 1 is -4, outside 0 <= counts"),
        ([[1, 2], [3, 0.5]], r"layer 1, expert 1 is 0\.5; give integers"),
        ([[1, 2], [3, 2**31]], "expert 1 is 2147483648, outside 0 <= counts < 2147483648"),
        ([[1, 2], [3, 2**70]], "expert 1 is 1180591620717411303424, outside 0 <= counts"),
        ([[1, 2], [3, None]], "layer 1, expert 1 is None, no number of tokens"),
        ([[5, True]], "layer 0, expert 1 is True, no number of tokens"),
        ([[1, 2], [3, float("nan")]], "layer 1, expert 1 is nan; give integers"),
        ("[[1, 1e400]]", "layer 0, expert 1 is inf; give integers"),
        (
            {"logical_count": [[0, 0], [0, 0]]},
            "0 throughout and adds up to 0, but 0 < sum is needed; record",
        ),
        ('{"logical_count": [[1, 2], [3', "is cut short in element 1"),
        ("[" * 100_000, "nested deeper than 16"),
        ('{"logical_count": ' + "[" * 100_000, "nested deeper than 16"),
        ('{"a": ' + "[" * 100_000 + ', "logical_count": [[1, 2]]}', "nested deeper than 16"),
        (
            {"a": [[1]], "b": [[2]]},
            "holds the lists a, b; name those of the counts 'logical_count'",
        ),
        ({"physical_to_logical_map": [[0]]}, "holds a placement"),
        ([[1, 1]] + [[0, 0]] * 60, "tokens in layer 0 alone, and 1 layer with tokens < 2 of 61"),
        ({"counts": [[[1]], [[1]]], "time_s": [0]}, r"time_s has shape \(1,\) for 2 steps"),
        ({"counts": [[[1]], [[1]]], "time_s": [2, 1]}, r"time_s at step 1 is 1\.0 < 2\.0"),
        ({"counts": [[[1]]], "time_s": "now"}, "time_s holds other things than numbers"),
    ],
)
def test_what_is_wrong_has_its_place(tmp_path, content, text):
    """File, place and remedy are named, and nothing is left behind."""
    path = written(tmp_path / "a.json", content)
    with pytest.raises(ValueError, match=rf"a\.json \(counts-json\): .*{text}"):
        import_trace(path, tmp_path / "x.parquet", "counts-json", ABOUT)
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_a_step_has_a_limit(tmp_path, monkeypatch):
    """Far more counts than any model has in a step are axes in another order."""
    monkeypatch.setattr(chunks, "STEP_COUNTS", 5)
    for content in (COUNTS.tolist(), COUNTS[0].tolist()):
        with pytest.raises(ValueError, match="2 layers of 3 experts, together more than 5"):
            list(read_foreign(written(tmp_path / "a.json", content), about=ABOUT))


def test_chosen_experts_are_not_counts(tmp_path):
    """Lists of ids look alike; the number of experts tells them apart."""
    path = written(tmp_path / "a.json", [[[0, 5], [3, 1]]])
    with pytest.raises(ValueError, match=r"2 numbers, not experts = 8; .*'selection-json'"):
        list(read_foreign(path, about=About(top_k=2, experts=8)))


def test_a_folder_and_a_missing_top_k_are_named(tmp_path):
    """What to give instead is said."""
    with pytest.raises(ValueError, match="is a folder; give one JSON file"):
        list(read_foreign(tmp_path, "counts-json", ABOUT))
    with pytest.raises(ValueError, match="does not say top_k"):
        list(read_foreign(written(tmp_path / "a.json", [[1, 2]])))


@pytest.mark.parametrize(
    "content", [{"load_history": []}, [{"0": None}], [1, 2], "", {"physical_to_logical_map": [[0]]}]
)
def test_other_json_is_not_taken_for_counts(tmp_path, content):
    """Other formats' files, a placement of SGLang, and none at all."""
    assert not counts_json.recognises(written(tmp_path / "a.json", content))

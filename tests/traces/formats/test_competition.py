"""The competition's array: read in chunks, written, refused."""

import numpy as np
import pytest

from traces import RoutingTrace, TokenTrace
from traces.exchange import export_trace, import_trace, read_foreign
from traces.formats import chunks, competition, recognised
from traces.formats.about import About

ABOUT = About(model="m", top_k=2)


def steps(count=7):
    """Return [steps, 2, 3] counts."""
    return np.random.default_rng(0).integers(0, 100, (count, 2, 3)).astype(np.int32)


def test_round_trip(tmp_path):
    """What is written reads back, in memory or from the store."""
    trace = RoutingTrace(steps(), "m", 2)
    export_trace(trace, tmp_path / "a.npy", "competition")
    assert recognised(tmp_path / "a.npy") == "competition"
    stored = import_trace(tmp_path / "a.npy", tmp_path / "a.parquet", about=ABOUT)
    assert stored.content_hash == trace.content_hash
    export_trace(stored, tmp_path / "b.npy", "competition")
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()
    found = np.load(tmp_path / "b.npy")
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, trace.counts)


def test_tokens_are_counted(tmp_path):
    """A trace of tokens in steps is written as its counts, others refused without a file."""
    trace = TokenTrace([[[0, 1]], [[1, 2]]], 3, "m")
    export_trace(trace.split(2), tmp_path / "a.npy", "competition")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), [[[1, 2, 1]]])
    with pytest.raises(ValueError, match=r"b\.npy \(competition\): the tokens are not in steps"):
        export_trace(trace, tmp_path / "b.npy", "competition")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_chunks_name_the_step_in_the_file(tmp_path, monkeypatch):
    """An error in a later chunk has the step's number in the file."""
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2 * 2 * 3 * 4)
    counts = steps()
    np.save(tmp_path / "a.npy", counts)
    found = list(read_foreign(tmp_path / "a.npy", about=ABOUT))
    assert [trace.num_steps for trace in found] == [2, 2, 2, 1]
    counts[5, 1, 2] = -4
    np.save(tmp_path / "a.npy", counts)
    with pytest.raises(
        ValueError, match=r"a\.npy \(competition\): counts at step 5, layer 1, expe"
    ):
        list(read_foreign(tmp_path / "a.npy", about=ABOUT))


def test_whole_floats_are_counts(tmp_path):
    """Floats without fractions are read."""
    np.save(tmp_path / "a.npy", steps().astype(float))
    np.testing.assert_array_equal(
        next(competition.blocks(tmp_path / "a.npy", ABOUT)).counts, steps()
    )


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (steps() + 0.5, r"step 0, layer 0, expert 0 is .*\.5; give integers"),
        (steps() * np.nan, "is nan; give integers"),
        (steps() - 200, r"step 0, layer 0, expert 0 is -\d+, outside"),
        (steps()[0], r"has shape \(2, 3\); give \[steps, layers, experts\]"),
        (steps()[:0], "no axis may be empty"),
        (steps().astype("U"), "holds <U"),
        (np.zeros((1, 2**13, 2**12), np.int8), "one step has 8192 layers of 4096 experts"),
    ],
    ids=["fraction", "nan", "negative", "two axes", "empty", "text", "axes"],
)
def test_other_arrays_are_refused(tmp_path, array, text):
    """What is wrong is named, with its place, and no store file is left."""
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=text):
        import_trace(tmp_path / "a.npy", tmp_path / "x.parquet", "competition", ABOUT)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


def test_objects_are_not_unpickled(tmp_path):
    """An array of objects holds a pickle, which stays closed."""
    np.save(tmp_path / "a.npy", np.array([[[{}]]], dtype=object), allow_pickle=True)
    assert not competition.recognises(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="holds pickled objects"):
        list(read_foreign(tmp_path / "a.npy", "competition", ABOUT))


def test_a_cut_file_says_where(tmp_path):
    """Truncated in its data, with everything before it read."""
    np.save(tmp_path / "a.npy", steps())
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content[:-10])
    with pytest.raises(ValueError, match="ends after 158 of the 168 bytes"):
        list(read_foreign(tmp_path / "a.npy", about=ABOUT))


def test_top_k_is_asked_for(tmp_path):
    """It is not in the file."""
    np.save(tmp_path / "a.npy", steps())
    with pytest.raises(ValueError, match=r"does not say top_k; give it \(--top-k\)"):
        list(read_foreign(tmp_path / "a.npy"))

"""Times of steps: kept by traces, files and cuts, one axis through traces that are joined."""

import pickle

import numpy as np
import pytest

import traces
from traces import RoutingTrace
from traces.cut import Cut
from traces.exchange import export_trace, import_trace
from traces.formats.about import About
from traces.joined_parts import join_parts


def timed(*times):
    """Return a trace of one layer, a step at each time."""
    return RoutingTrace([[[1, 2]]] * len(times), "m", 1, time_s=times)


def test_times_are_kept(tmp_path):
    """In memory, pickled, sliced, cut, and in the store."""
    trace = timed(0.5, 0.5, 2.0)
    assert trace.slice(1).time_s.tolist() == [0.5, 2.0]
    assert pickle.loads(pickle.dumps(trace)).time_s.tolist() == [0.5, 0.5, 2.0]
    assert next(Cut(steps=(1, 3))(trace)).time_s.tolist() == [0.5, 2.0]
    traces.save(trace, tmp_path / "a.parquet")
    stored = traces.open(tmp_path / "a.parquet")
    assert stored.load().time_s.tolist() == [0.5, 0.5, 2.0]
    assert stored.content_hash == trace.content_hash != timed(0.5, 0.5, 2.5).content_hash


def test_a_trace_without_times_is_as_before():
    """Its content hash is that of a trace of an earlier podlab."""
    trace = RoutingTrace([[[3, 1], [2, 2]]], model="toy", top_k=1)
    assert list(trace.columns) == ["step_tokens", "counts"]
    assert trace.content_hash.startswith("ef36e08b54ef")


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ([1.0], r"time_s has shape \(1,\) for 2 steps"),
        ([2.0, 1.0], r"time_s at step 1 is 1\.0 < 2\.0"),
        ([0.0, np.inf], "time_s at step 1 is inf"),
        (["a", "b"], "time_s holds other things than numbers"),
    ],
)
def test_times_that_are_none_are_refused(times, text):
    """The step is named."""
    with pytest.raises(ValueError, match=text):
        RoutingTrace([[[1, 2]]] * 2, "m", 1, time_s=times)


def test_blocks_of_a_file_are_in_order(tmp_path):
    """A writer refuses a block that starts before the last one ended."""
    with traces.Writer(tmp_path / "a.parquet") as writer:
        writer.append(timed(0.0, 2.0))
        with pytest.raises(ValueError, match=r"time_s = 1\.0 < 2\.0"):
            writer.append(timed(1.0))


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        ([(0, 1), (1, 4)], [0, 1, 1, 4]),  # the clock goes on
        ([(0, 1, 2), (0, 4)], [0, 1, 2, 3, 7]),  # it begins anew: a mean step, 1 s, after 2
        ([(5,), (3, 4)], [5, 5, 6]),  # one step has no length
        ([(0, 2), (0, 2), (0, 2)], [0, 2, 4, 6, 8, 10]),
    ],
)
def test_joined_traces_have_one_axis(tmp_path, parts, joined):
    """In memory and in the store."""
    each = [timed(*part) for part in parts]
    assert traces.concat(each).time_s.tolist() == joined
    for number, part in enumerate(each):
        traces.save(part, tmp_path / f"{number}.parquet")
    stored = [traces.open(tmp_path / f"{number}.parquet") for number in range(len(each))]
    assert np.concatenate([chunk.time_s for chunk in join_parts(stored)]).tolist() == joined


def test_times_that_only_some_have_are_left_out():
    """They would not be those of all steps."""
    each = [timed(0.0), RoutingTrace([[[1, 2]]], "m", 1)]
    assert traces.concat(each).time_s is None
    assert all(chunk.time_s is None for chunk in join_parts(each))


def test_an_archive_has_them(tmp_path):
    """Of an ``.npz`` of counts, written and read."""
    trace = timed(0.5, 0.5, 2.0)
    export_trace(trace, tmp_path / "a.npz", "matrix")
    stored = import_trace(tmp_path / "a.npz", tmp_path / "a.parquet", about=About("m", top_k=1))
    assert stored.content_hash == trace.content_hash


@pytest.mark.parametrize("times", [[0.0], [[0.0, 1.0]], ["a", "b"], [1.0, 0.0]])
def test_wrong_times_of_an_archive_are_refused(tmp_path, times):
    """Before they are read, where their shape tells."""
    np.savez(tmp_path / "a.npz", counts=[[[1, 2]]] * 2, time_s=times)
    with pytest.raises(ValueError, match=r"a\.npz \(matrix\): .*(time_s|<U1)"):
        import_trace(tmp_path / "a.npz", tmp_path / "a.parquet", "matrix", About(top_k=1))

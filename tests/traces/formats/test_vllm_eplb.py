"""vLLM's EPLB load windows."""

import numpy as np
import pytest

from traces.exchange import import_trace, read_foreign
from traces.formats import recognised
from traces.formats.about import About

LOAD = np.array([[[1, 2, 3], [4, 0, 2]], [[0, 0, 0], [0, 0, 0]], [[5, 1, 0], [2, 2, 2]]])
MAP = np.array([[0, 1, 0], [1, 0, -1]])
MAP_FULL = np.array([[0, 1, 0], [1, 0, 1]])
ABOUT = About(top_k=2)


def _save(path, load=LOAD, slots=MAP_FULL, **others):
    np.savez(path, expert_load_window=load, physical_to_logical_map=slots, **others)
    return path


def _counts(path, about=ABOUT):
    return np.concatenate([chunk.counts for chunk in read_foreign(path, "vllm-eplb", about)])


def test_replicas_are_added_and_unused_rows_left_out(tmp_path):
    """Slots of one expert are summed; a row without tokens is no step."""
    path = _save(tmp_path / "a.npz")
    assert recognised(path) == "vllm-eplb"
    np.testing.assert_array_equal(_counts(path), [[[4, 2], [0, 6]], [[5, 1], [2, 4]]])
    assert import_trace(path, tmp_path / "out.parquet", about=ABOUT).num_steps == 2


def test_the_ring_is_unrolled(tmp_path):
    """Steps run from where the ring begins."""
    path = _save(tmp_path / "a.npz", expert_load_window_step=np.int64(2))
    np.testing.assert_array_equal(_counts(path)[:, 0], [[5, 1], [4, 2]])


def test_ranks_are_summed_and_times_follow(tmp_path):
    """Files of one time are added; 10 comes after 9."""
    for time in (10, 9):
        for rank in (0, 1):
            _save(tmp_path / f"load_{time}_rank{rank}.npz", LOAD[:1] * (time - 8))
    found = _counts(tmp_path)
    np.testing.assert_array_equal(found[:, 0, 0], [8, 16])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"load": LOAD[0]}, r"expert_load_window has shape \(2, 3\)"),
        ({"load": LOAD - 1}, "step 0, layer 1, slot 1 is -1"),
        ({"load": LOAD + 0.5}, "step 0, layer 0, slot 0 is 1.5"),
        ({"load": LOAD * np.nan}, "is nan; give integers"),
        ({"load": LOAD[:0]}, "no axis is empty"),
        ({"load": LOAD * 0}, "0 throughout"),
        ({"load": np.full(LOAD.shape, "x")}, "dtype"),
        ({"slots": MAP[:1]}, r"map has shape \(1, 3\)"),
        ({"slots": MAP}, "layer 1, slot 2 has tokens but no expert"),
        ({"slots": MAP_FULL - 9}, "outside -1 <="),
        ({"expert_load_window_step": np.int64(3)}, "outside 0 <= step < 3"),
        ({"load": LOAD.astype(object)}, "plain arrays"),
    ],
)
def test_what_it_refuses(tmp_path, change, text):
    """Each malformed file is refused, and says where."""
    path = _save(tmp_path / "a.npz", **change)
    with pytest.raises(ValueError, match=text):
        _counts(path)


def test_missing_arrays_ids_and_cut_files(tmp_path):
    """What is not there, out of range, or not whole is named."""
    np.savez(tmp_path / "a.npz", expert_load_window=LOAD)
    with pytest.raises(ValueError, match="physical_to_logical_map is missing"):
        _counts(tmp_path / "a.npz")
    path = _save(tmp_path / "b.npz")
    with pytest.raises(ValueError, match="layer 0, slot 1 is 1, outside"):
        _counts(path, About(top_k=1, experts=1))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="not a whole"):
        _counts(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="not a whole"):
        _counts(path)

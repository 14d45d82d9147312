"""vLLM-Ascend's expert load."""

import numpy as np
import pytest

from traces.exchange import read_foreign
from traces.formats import recognised
from traces.formats.about import About

LOAD = np.array([[[1, 2], [3, 4]]])  # one layer, two ranks of two slots
MAPS = np.array([[[0, 1, -1], [1, -1, 0]]])  # rank 0: experts 0, 1; rank 1: 2, 0
ABOUT = About(top_k=1)


def _counts(path, load=LOAD, maps=MAPS):
    np.savez(path, moe_load=load, expert_maps=maps)
    return np.concatenate([chunk.counts for chunk in read_foreign(path, "vllm-ascend", ABOUT)])


def test_slots_of_one_expert_are_added(tmp_path):
    """The map says which expert each slot of each rank holds."""
    path = tmp_path / "a.npz"
    np.testing.assert_array_equal(_counts(path), [[[5, 2, 3]]])
    assert recognised(path) == "vllm-ascend"


def test_steps_of_flashlb(tmp_path):
    """A fourth axis in front is steps."""
    found = _counts(tmp_path / "a.npz", np.stack([LOAD, LOAD * 2]))
    np.testing.assert_array_equal(found, [[[5, 2, 3]], [[10, 4, 6]]])


def test_files_follow_by_number(tmp_path):
    """Intervals of a folder run in order of the numbers in their names."""
    _counts(tmp_path / "load_10.npz", LOAD * 10)
    _counts(tmp_path / "load_9.npz", LOAD * 9)
    steps = [chunk.counts[0, 0, 1] for chunk in read_foreign(tmp_path, "vllm-ascend", ABOUT)]
    assert steps == [18, 20]


@pytest.mark.parametrize(
    ("load", "maps", "text"),
    [
        (LOAD[0], MAPS, "moe_load has shape"),
        (LOAD - 2, MAPS, "is -1, outside"),
        (LOAD + 0.5, MAPS, "give integers"),
        (LOAD[:0], MAPS, "no axis may be empty"),
        (LOAD, MAPS[:, :1], "save both at one time"),
        (LOAD, MAPS + 1, "outside -1 <= id < 2"),
        (LOAD, np.zeros_like(MAPS), "one local slot to two experts"),
        (LOAD, np.array([[[0, -1, -1], [1, -1, 0]]]), "tokens but no expert"),
        (LOAD.astype(object), MAPS, "plain arrays"),
    ],
)
def test_what_it_refuses(tmp_path, load, maps, text):
    """Each malformed file is refused, and says why."""
    with pytest.raises(ValueError, match=text):
        _counts(tmp_path / "a.npz", load, maps)

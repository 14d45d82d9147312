"""Dispatchers neither lose nor invent tokens, whichever way they tell sources apart."""

import numpy as np
import pytest

import lb
from lb.dispatch import configured, slot_share

PLACEMENT = lb.Placement([[0, 1, 1, 2]], 2)


def test_even_is_one_over_replicas():
    """Two copies take half each."""
    even = lb.make_dispatcher("even")
    np.testing.assert_array_equal(even(PLACEMENT, np.ones((1, 3))), [[1, 0.5, 0.5, 1]])


def test_valid_shares_pass():
    """Any split that adds up is allowed."""
    share = [[1, 0.2, 0.8, 1]]
    np.testing.assert_array_equal(lb.check_share(PLACEMENT, share), share)


def test_valid_shares_by_source_pass():
    """Every source rank may split in its own way."""
    share = [[[1, 0.2, 0.8, 1], [1, 1, 0, 1]]]
    np.testing.assert_array_equal(lb.check_share(PLACEMENT, share), share)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        ([[1, 0.5, 0.6, 1]], "expert 1 in layer 0 add up to 1.1"),
        ([[1, -0.5, 1.5, 1]], "layer 0, slot 1 is -0.5"),
        ([[1, np.nan, 1, 1]], "is nan"),
        ([[1, 1]], "give \\[1 layers, 4 slots\\]"),
        ([[[1, 0.5, 0.5, 1]]], "give \\[1 layers, 2 ranks, 4 slots\\]"),
        ([[[1, 0.5, 0.5, 1], [1, 1, 0.5, 1]]], "expert 1 in layer 0 add up to 1.5 for source .* 1"),
        ([[[1, 0.5, 0.5, 1], [1, -1, 2, 1]]], "layer 0, source rank 1, slot 1 is -1"),
        ([[[1, 0.5, 0.5, np.inf], [1, 1, 0, 1]]], "layer 0, source rank 0, slot 3 is inf"),
        ([[[1, 0.5, 0.5, np.nan], [1, 1, 0, 1]]], "layer 0, source rank 0, slot 3 is nan"),
    ],
)
def test_broken_shares_are_refused(share, text):
    """The error names expert or slot, and the source where there is one."""
    with pytest.raises(ValueError, match=text):
        lb.check_share(PLACEMENT, share)


def test_shares_by_source_become_shares_of_slots():
    """Weighted by who sends: evenly without sources, and where an expert has no tokens."""
    share = [[[1, 1, 0, 1], [1, 0, 1, 1]]]
    np.testing.assert_array_equal(slot_share(PLACEMENT, share), [[1, 0.5, 0.5, 1]])
    sources = [[[0, 3, 4], [0, 1, 0]]]
    np.testing.assert_array_equal(slot_share(PLACEMENT, share, sources), [[1, 0.75, 0.25, 1]])
    sources = [[[0, 0, 4], [0, 0, 0]]]
    np.testing.assert_array_equal(slot_share(PLACEMENT, share, sources), [[1, 0.5, 0.5, 1]])
    same = [[1, 0.2, 0.8, 1]]
    np.testing.assert_array_equal(slot_share(PLACEMENT, same, sources), same)
    with pytest.raises(ValueError, match="sources has shape"):
        slot_share(PLACEMENT, share, [[[1, 1, 1]]])


def test_rank_load_takes_shares_by_source():
    """Sources are spread evenly where none are given."""
    share = np.array([[[1, 1, 0, 1], [1, 1, 0, 1]]])
    np.testing.assert_array_equal(PLACEMENT.rank_load([[4, 6, 1]], share), [[10, 1]])
    with pytest.raises(ValueError, match="share has shape"):
        PLACEMENT.rank_load([[4, 6, 1]], share[:, :1])


def test_configured_tells_the_nodes():
    """Only dispatchers that ask for nodes are told; a stated value goes first."""
    assert configured("local-first", 4).ranks_per_node == 4
    assert configured("local-first", None).ranks_per_node is None
    assert configured("local-first", 4, ranks_per_node=2).ranks_per_node == 2
    assert configured("even", 4) is lb.make_dispatcher("even")
    assert configured("rotate", 4, seed=3).seed == 3
    with pytest.raises(ValueError, match="unknown dispatcher 'locl-first'"):
        configured("locl-first", 4)

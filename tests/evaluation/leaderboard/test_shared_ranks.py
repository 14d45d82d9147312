"""Rows share a rank where their intervals overlap that of the best of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.leaderboard.shared_ranks import shared_ranks


def test_overlapping_share_and_the_next_counts_all_before():
    """Ranks are 1, 1, 3 when the first two overlap and the third does not."""
    assert shared_ranks([4.0, 1.0, 4.5], [6.0, 2.0, 5.5], [5.1, 1.5, 5.0]).tolist() == [1, 3, 1]


def test_chain_of_neighbours_is_not_one_rank():
    """The third overlaps the second but not the first, and so leads a rank of its own."""
    assert shared_ranks([5.0, 4.0, 3.0], [6.0, 5.5, 4.5], [5.5, 4.8, 3.8]).tolist() == [1, 1, 3]


def test_touching_intervals_overlap():
    """Ends that are equal meet."""
    assert shared_ranks([2.0, 1.0], [3.0, 2.0], [2.5, 1.5]).tolist() == [1, 1]


def test_none_and_one():
    """An empty table has no rank, a single candidate the first; infinite ends are allowed."""
    assert shared_ranks([], [], []).tolist() == []
    assert shared_ranks([-np.inf], [np.inf], [0.0]).tolist() == [1]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_ranks_follow_estimates_and_not_the_order_given(found, random):
    """No rank is better than a higher estimate's, one is first, and any order gives the same."""
    middle = np.array([one[0] for one in found], dtype=float)
    low, high = (middle - [one[1] for one in found], middle + [one[2] for one in found])
    ranks = shared_ranks(low, high, middle)
    if found:
        assert ranks[middle.argmax()] == 1
    for one in range(len(found)):
        for other in range(len(found)):
            if middle[one] > middle[other]:
                assert ranks[one] <= ranks[other]
    order = list(range(len(found)))
    random.shuffle(order)
    assert shared_ranks(low[order], high[order], middle[order]).tolist() == ranks[order].tolist()


@pytest.mark.parametrize(
    ("low", "high", "estimate", "words"),
    [
        ([2.0], [1.0], [1.5], "low <= high"),
        ([np.nan], [1.0], [0.5], "low <= high"),
        ([0.0], [1.0], [np.nan], "rank no failures"),
        ([0.0, 0.0], [1.0, 1.0], [0.5], "one length"),
        (0.0, 1.0, 0.5, "one axis"),
    ],
)
def test_refuses_what_cannot_be_ranked(low, high, estimate, words):
    """Bad input is named."""
    with pytest.raises(ValueError, match=words):
        shared_ranks(low, high, estimate)

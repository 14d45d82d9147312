"""A rank is 1 + the number of rows that are significantly better."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evaluation.leaderboard.shared_ranks import shared_ranks


def pairs(count, *separated):
    """Return the matrix of these separated pairs."""
    matrix = np.zeros((count, count), dtype=bool)
    for first, second in separated:
        matrix[first, second] = matrix[second, first] = True
    return matrix


def test_the_number_counts_all_that_are_better():
    """Two share rank 1, and both are better than the third."""
    assert shared_ranks(np.array([5.1, 1.5, 5.0]), pairs(3, (0, 1), (1, 2))).tolist() == [1, 3, 1]


def test_a_chain_of_neighbours_is_not_one_rank():
    """The third is tied with the second, but worse than the first."""
    assert shared_ranks(np.array([5.5, 4.8, 3.8]), pairs(3, (0, 2))).tolist() == [1, 1, 2]


def test_none_and_one():
    """An empty table has no rank, a single candidate the first."""
    assert shared_ranks(np.zeros(0), pairs(0)).tolist() == []
    assert shared_ranks(np.zeros(1), pairs(1)).tolist() == [1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
def test_the_best_is_first_and_no_rank_exceeds_the_place(seed, count):
    """A row can have no more rows that are significantly better than rows that are better."""
    random = np.random.default_rng(seed)
    score = random.random(count)
    upper = np.triu(random.random((count, count)) < 0.5, 1)
    ranks = shared_ranks(score, upper | upper.T)
    place = 1 + (score[:, None] > score[None, :]).sum(axis=0)
    assert ranks[score.argmax()] == 1
    assert (ranks <= place).all()

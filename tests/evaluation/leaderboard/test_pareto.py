"""A front holds what nothing else beats in every respect."""

import numpy as np

from evaluation.leaderboard.pareto import front


def test_front_of_two():
    """Cheap and bad, dear and good; the one between that loses to another is off."""
    assert front([1, 2, 3, 3], [3, 2, 1, 2]).tolist() == [True, True, True, False]


def test_equal_rows_are_both_on_it():
    """Neither is less in any respect."""
    assert front([1, 1], [1, 1]).all()


def test_unknown_costs_most():
    """It stays only by being better elsewhere."""
    assert front([1, 2], [1, np.nan]).tolist() == [True, False]
    assert front([1, 0], [1, np.nan]).tolist() == [True, True]

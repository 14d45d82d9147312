"""Cost is a ratio to what was timed beside it."""

import numpy as np
import pytest

from evaluation.replay.cost import REFERENCE, cost, reference_s


def test_median_of_pairs():
    """A machine that is half as fast, or slow for one pair, gives the same ratio."""
    assert cost([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == {"ratio": 2.0, "reference": REFERENCE}
    assert cost([4.0, 8.0, 18.0], [2.0, 4.0, 6.0])["ratio"] == 2.0


def test_pairs_are_pairs():
    """A solve time without its reference is an error of the caller."""
    with pytest.raises(ValueError, match="shorter"):
        cost([1.0, 2.0], [1.0])


def test_reference_takes_longer_for_more():
    """It is measured on the problem's own size."""
    few, many = np.ones((1, 8)), np.random.default_rng(0).random((200, 2000))
    assert 0 < reference_s(few) < reference_s(many)

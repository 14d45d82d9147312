"""The cost of a solver is a ratio to a reference sort."""

import numpy as np
import pytest

from evaluation.replay.cost import REFERENCE, cost, reference_s


def test_median_of_pairs():
    """A machine that is half as fast gives the same ratio; a slow pair is no median."""
    assert cost([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == {"ratio": 2.0, "reference": REFERENCE}
    assert cost([4.0, 8.0, 18.0], [2.0, 4.0, 6.0])["ratio"] == 2.0


def test_pairs_are_pairs():
    """Every solve time needs a reference time."""
    with pytest.raises(ValueError, match="shorter"):
        cost([1.0, 2.0], [1.0])


def test_reference_takes_longer_for_more():
    """A larger load takes longer to sort."""
    few, many = np.ones((1, 8)), np.random.default_rng(0).random((200, 2000))
    assert 0 < reference_s(few) < reference_s(many)

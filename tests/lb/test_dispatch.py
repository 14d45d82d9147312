"""Dispatchers neither lose nor invent tokens."""

import numpy as np
import pytest

import lb

PLACEMENT = lb.Placement([[0, 1, 1, 2]], 2)


def test_even_is_one_over_replicas():
    """Two copies take half each."""
    even = lb.make_dispatcher("even")
    np.testing.assert_array_equal(even(PLACEMENT, np.ones((1, 3))), [[1, 0.5, 0.5, 1]])


def test_valid_shares_pass():
    """Any split that adds up is allowed."""
    share = [[1, 0.2, 0.8, 1]]
    np.testing.assert_array_equal(lb.check_share(PLACEMENT, share), share)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        ([[1, 0.5, 0.6, 1]], "expert 1 in layer 0 add up to 1.1"),
        ([[1, -0.5, 1.5, 1]], "layer 0, slot 1 is -0.5"),
        ([[1, np.nan, 1, 1]], "is nan"),
        ([[1, 1]], "give \\[1 layers, 4 slots\\]"),
    ],
)
def test_broken_shares_are_refused(share, text):
    """The error names expert or slot."""
    with pytest.raises(ValueError, match=text):
        lb.check_share(PLACEMENT, share)

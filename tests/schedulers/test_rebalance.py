"""When to rebalance."""

import numpy as np
import pytest

import lb
import schedulers

LOAD = np.ones((1, 1, 2))
PLACEMENT = lb.Placement([[0, 1]], 2)


def test_interval_counts_windows():
    """Every third window is due."""
    policy = schedulers.make_rebalance("interval", windows=3)
    due = [policy(seen, LOAD, PLACEMENT) for seen in range(1, 7)]
    assert due == [False, False, True, False, False, True]


def test_never_is_never():
    """The start-up placement stays."""
    assert not schedulers.make_rebalance("never")(5, LOAD, PLACEMENT)


def test_impossible_interval_and_unknown_name():
    """Errors name the value and the nearest name."""
    with pytest.raises(ValueError, match="windows = 0 < 1"):
        schedulers.make_rebalance("interval", windows=0)(1, LOAD, PLACEMENT)
    with pytest.raises(ValueError, match="unknown rebalance policy 'interva': did you mean"):
        schedulers.make_rebalance("interva")

"""The DP group with the fewest requests waiting."""

from dataclasses import replace

import numpy as np

from schedulers.prefill.two_level import two_level
from schedulers.testing.instances import asked, idle


def test_length_does_not_matter():
    """One long prompt waiting is less than two short ones."""
    workers = replace(idle(2), waiting=np.array([2, 1]), waiting_tokens=np.array([20, 90_000]))
    assert two_level(asked([10]), workers).tolist() == [1]


def test_equal_queues_go_by_what_runs():
    """Of two empty queues the idle group's is taken, although it comes second."""
    workers = replace(idle(2), running=np.array([3, 0]))
    assert two_level(asked([10, 10, 10]), workers).tolist() == [1, 0, 1]


def test_asked_at_arrival():
    """Requests are not pooled."""
    assert not getattr(two_level, "pooled", False)

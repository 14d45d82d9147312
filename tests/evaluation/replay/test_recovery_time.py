"""How a balancer takes a change of the mixture."""

import pytest

from evaluation.replay.recovery_time import shift_scores


def test_windows_until_efficiency_is_back():
    """After window 2: 0.5, 0.85, then 0.895, which is within 1 % of the last three's 0.9."""
    efficiency = [0.9, 0.9, 0.5, 0.85, 0.895, 0.9, 0.9, 0.9]
    scores = shift_scores(efficiency, [1.0] * 8, 2)
    assert scores == {"shift_efficiency": 0.5, "recovery_windows": 2.0}


def test_nothing_is_lost():
    """A balancer that never falls recovers in no window, at whatever level."""
    scores = shift_scores([0.6] * 6, [1.0] * 6, 2)
    assert scores == {"shift_efficiency": 0.6, "recovery_windows": 0.0}


@pytest.mark.parametrize("change", [0, 5, 9])
def test_the_change_must_leave_windows_on_both_sides(change):
    """One before, to fall from; more than the three that are the steady level after it."""
    with pytest.raises(ValueError, match=f"before scored window {change} of 8"):
        shift_scores([0.9] * 8, [1.0] * 8, change)

"""Parameters of recovery, and when a failure is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.serving.faults.recovery import Recovery


def test_seconds_are_the_published_ones() -> None:
    """ReviveMoE's table, and what we derive from it."""
    recovery = Recovery()
    assert recovery.full_restart_s == 83.1
    assert (recovery.attention_die_s, recovery.redundant_expert_s) == (10.2, 10.7)
    assert (recovery.missing_expert_s, recovery.role_switch_s) == (10.8, 52.7)
    assert recovery.colocated_load_s == pytest.approx(recovery.colocated_s + 40.6)


@pytest.mark.parametrize(
    ("failed_s", "missed", "detected_s"),
    [(0.0, 1, 2.0), (0.0, 3, 6.0), (1.9, 1, 2.0), (2.0, 1, 4.0), (2.1, 3, 8.0)],
)
def test_detection_waits_for_missed_heartbeats(failed_s, missed, detected_s) -> None:
    """The heartbeat at the moment of the failure was answered; the next one is the first missed."""
    assert Recovery(heartbeat_s=2.0, missed_heartbeats=missed).detected_s(failed_s) == detected_s


@given(st.floats(0, 1e6), st.floats(0.01, 100), st.integers(1, 10))
def test_detection_is_between_missed_less_one_and_missed(failed_s, heartbeat_s, missed) -> None:
    """Whatever the phase."""
    recovery = Recovery(heartbeat_s=heartbeat_s, missed_heartbeats=missed)
    detected_s = recovery.detected_s(failed_s)
    rounding = 1e-9 * (1 + failed_s)
    assert detected_s > failed_s
    assert detected_s - failed_s <= missed * heartbeat_s + rounding
    assert detected_s - failed_s >= (missed - 1) * heartbeat_s - rounding
    assert recovery.detected_s(failed_s) == detected_s


def test_impossible_seconds_are_refused() -> None:
    """The constructor checks its values too."""
    with pytest.raises(ValueError, match="heartbeat_s = nan"):
        Recovery(heartbeat_s=float("nan"))

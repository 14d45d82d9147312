"""Telemetry of workers as routers see it."""

import numpy as np
import pytest

from evaluation.serving.engine.telemetry import WorkerTelemetry
from schedulers.views import Workers


class Reality:
    """Two workers whose state a test changes."""

    def __init__(self):
        self.waiting, self.up = np.zeros(2, dtype=np.int64), np.ones(2, dtype=bool)

    def __call__(self):
        """Return two workers as they are now."""
        none = np.zeros(2, dtype=np.int64)
        return Workers(none, self.waiting, none + 9, none, none, none, none + 100, self.up)


@pytest.fixture
def reality():
    """Two workers, both up and idle."""
    return Reality()


def test_without_delay_a_router_sees_the_present(reality):
    """At telemetry_s = 0 every view is live, and routing adds nothing to it."""
    telemetry = WorkerTelemetry(reality, 0.0)
    telemetry.view(0.0)
    telemetry.count_in(0, 5, 7)
    reality.waiting[1] = 3
    seen = telemetry.view(0.0)
    assert seen.waiting.tolist() == [0, 3]
    assert seen.kv_reserved.tolist() == [0, 0]
    assert seen.routed == 1


def test_a_report_holds_until_the_next(reality):
    """Between reports a change is not seen, at the next it is."""
    telemetry = WorkerTelemetry(reality, 2.0)
    telemetry.view(0.0)
    reality.waiting[1] = 3
    assert telemetry.view(1.99).waiting.tolist() == [0, 0]
    assert telemetry.view(2.0).waiting.tolist() == [0, 3]


def test_what_was_routed_since_is_counted_in(reality):
    """A stale report is brought forward by the router's own requests, and by nothing real."""
    telemetry = WorkerTelemetry(reality, 2.0)
    telemetry.view(0.0)
    telemetry.count_in(1, 5, 7)
    seen = telemetry.view(1.0)
    assert seen.waiting.tolist() == [0, 1]
    assert seen.waiting_tokens.tolist() == [0, 5]
    assert seen.kv_used.tolist() == [0, 5]
    assert seen.kv_reserved.tolist() == [0, 12]
    assert reality.waiting.tolist() == [0, 0]


def test_a_new_report_forgets_what_was_counted_in(reality):
    """The next report shows workers as they are, so that nothing counts twice."""
    telemetry = WorkerTelemetry(reality, 2.0)
    telemetry.view(0.0)
    telemetry.count_in(1, 5, 7)
    seen = telemetry.view(2.0)
    assert seen.waiting.tolist() == [0, 0]
    assert seen.routed == 1


def test_a_failure_is_known_at_once(reality):
    """Whether a worker is up is never stale."""
    telemetry = WorkerTelemetry(reality, 100.0)
    telemetry.view(0.0)
    reality.up = np.array([True, False])
    assert telemetry.view(1.0).up.tolist() == [True, False]


def test_an_expired_report_is_replaced(reality):
    """When its period is over by the clock of the system, the next view is a new report."""
    telemetry = WorkerTelemetry(reality, 2.0)
    telemetry.view(0.0)
    reality.waiting[1] = 3
    telemetry.expire()
    assert telemetry.view(1.0).waiting.tolist() == [0, 3]

"""Every registered scheduler passes the checks, and every check catches what it is for."""

import numpy as np
import pytest

import schedulers
from schedulers.testing import (
    check_batch_policy,
    check_router,
    parametrize_with_batch_checks,
    parametrize_with_router_checks,
)
from schedulers.views import HOLD

ROUTERS = {
    f"{registry.noun} {name}": registry.make(name)
    for registry in (schedulers.JOB, schedulers.PREFILL, schedulers.DECODE)
    for name in registry.available()
}
POLICIES = {name: schedulers.BATCH.make(name) for name in schedulers.BATCH.available()}


@parametrize_with_router_checks(ROUTERS)
def test_routers(router, check):
    """It holds."""
    check(router)


@parametrize_with_batch_checks(POLICIES)
def test_batch_policies(policy, check):
    """It holds."""
    check(policy)


class Counting:
    """A router with hidden state."""

    calls = 0

    def __call__(self, requests, workers):
        """Answer differently in every call."""
        self.calls += 1
        found = schedulers.make_decode_router("least-kv")(requests, workers)
        spare = np.flatnonzero(workers.open_for(10**3))
        return np.where(found == HOLD, HOLD, spare[self.calls % len(spare)] if len(spare) else HOLD)


def changing(requests, workers):
    """Change what it is shown."""
    answer = schedulers.make_decode_router("least-kv")(requests, workers)
    workers.kv_used += 1
    return answer


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda requests, workers: np.zeros(len(requests)), id="floats"),
        pytest.param(lambda requests, workers: np.zeros(1, dtype=np.int64), id="shape"),
        pytest.param(lambda requests, workers: np.full(len(requests), HOLD), id="holds all"),
        pytest.param(lambda requests, workers: np.zeros(len(requests), np.int64), id="first"),
        pytest.param(lambda requests, workers: np.full(len(requests), 99), id="out of range"),
        pytest.param(Counting(), id="counting"),
        pytest.param(changing, id="changing"),
    ],
)
def test_broken_routers_are_caught(broken):
    """A deliberately broken router fails some check."""
    with pytest.raises(AssertionError):
        check_router(broken)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda queue, step: queue.left_tokens, id="everything"),
        pytest.param(lambda queue, step: np.zeros(len(queue), np.int64), id="nothing"),
        pytest.param(lambda queue, step: np.minimum(queue.left_tokens, step), id="each a step"),
        pytest.param(lambda queue, step: -np.ones(len(queue), np.int64), id="negative"),
    ],
)
def test_broken_policies_are_caught(broken):
    """A deliberately broken policy fails some check."""
    with pytest.raises(AssertionError):
        check_batch_policy(broken)

"""Deliberately broken routers fail the check that is meant for them."""

import numpy as np
import pytest

from schedulers.job.round_robin import round_robin
from schedulers.testing import ROUTER_CHECKS, check_router
from schedulers.views import HOLD


def answers_floats(requests, workers):
    """Right numbers of the wrong type."""
    return round_robin(requests, workers).astype(float)


def answers_one(requests, workers):
    """One worker for all requests."""
    return np.zeros(1, dtype=np.int64)


def answers_beyond(requests, workers):
    """Count workers from 1."""
    answer = round_robin(requests, workers)
    return np.where(answer == HOLD, HOLD, answer + 1)


def ignores_up(requests, workers):
    """Choose as if all were up."""
    workers.up[:] = True
    return round_robin(requests, workers)


def ignores_those_of_the_call(requests, workers):
    """Give all to the first worker that was open before the call."""
    answer = np.full(len(requests), HOLD)
    for index, prompt in enumerate(requests.prompt_tokens):
        free = np.flatnonzero(workers.open_for(int(prompt)))
        answer[index] = free[0] if len(free) else HOLD
    return answer


def ignores_cache_room(requests, workers):
    """Look at limits only."""
    workers.kv_capacity[:] = 10**9
    return round_robin(requests, workers)


def never_holds(requests, workers):
    """Give the first worker what fits on no worker."""
    return np.maximum(round_robin(requests, workers), 0)


def holds_all(requests, workers):
    """Wait for better times."""
    return np.full(len(requests), HOLD)


def holds_the_last(requests, workers):
    """Never serve the youngest request."""
    answer = round_robin(requests, workers)
    answer[-1:] = HOLD
    return answer


def holds_long_ones(requests, workers):
    """Serve no prompt above 5,000 tokens."""
    return np.where(requests.prompt_tokens > 5_000, HOLD, round_robin(requests, workers))


def needs_the_cache(requests, workers):
    """Assume that prefixes are always known."""
    assert requests.cached_tokens.shape == (len(requests), len(workers))
    return round_robin(requests, workers)


def sorts_what_it_is_shown(requests, workers):
    """Change the order of the requests in place."""
    requests.waited_s.sort()
    return round_robin(requests, workers)


def answers_a_view(requests, workers):
    """Write the answer over the requests' numbers."""
    requests.number[:] = round_robin(requests, workers)
    return requests.number


def draws_without_a_seed(requests, workers):
    """Use the global generator, without effect on the answer."""
    np.random.random()  # noqa: NPY002
    return round_robin(requests, workers)


class Counting:
    """Keep the counter itself."""

    def __init__(self):
        self.calls = 0

    def __call__(self, requests, workers):
        """Start one worker further at each call."""
        self.calls += 1
        return round_robin(requests, workers)


class Unpicklable:
    """Hold what pickle cannot store."""

    def __init__(self):
        self.chosen = lambda: 0

    def __call__(self, requests, workers):
        """Answer rightly."""
        return round_robin(requests, workers)


@pytest.mark.parametrize(
    ("router", "check"),
    [
        (answers_floats, "check_answers_workers"),
        (answers_one, "check_answers_workers"),
        (answers_beyond, "check_answers_workers"),
        (lambda r, w: round_robin(r, w).tolist(), "check_answers_workers"),
        (lambda r, w: np.full(len(r), -2), "check_answers_workers"),
        (ignores_up, "check_router_keeps_input"),
        (never_holds, "check_skips_workers_down"),
        (never_holds, "check_holds_where_none_is_open"),
        (never_holds, "check_request_limit"),
        (never_holds, "check_cache_room"),
        (ignores_those_of_the_call, "check_request_limit"),
        (ignores_those_of_the_call, "check_cache_room"),
        (ignores_cache_room, "check_router_keeps_input"),
        (holds_all, "check_serves_when_idle"),
        (holds_all, "check_pool_drains"),
        (holds_the_last, "check_one_request_one_worker"),
        (holds_the_last, "check_pool_drains"),
        (holds_long_ones, "check_pool_drains"),
        (needs_the_cache, "check_without_knowledge"),
        (sorts_what_it_is_shown, "check_router_keeps_input"),
        (answers_a_view, "check_router_keeps_input"),
        (draws_without_a_seed, "check_router_deterministic"),
        (Counting(), "check_router_stateless"),
        (Unpicklable(), "check_router_pickles"),
    ],
)
def test_broken_routers_fail(router, check):
    """The check that makes this claim fails, and the list of checks has it."""
    with pytest.raises(AssertionError):
        ROUTER_CHECKS[check](router)
    with pytest.raises(AssertionError, match=check):
        check_router(router)


def test_every_check_can_fail():
    """Each check is named by a broken router above."""
    marks = test_broken_routers_fail.pytestmark[0]
    assert {check for _, check in marks.args[1]} == set(ROUTER_CHECKS)


def test_a_nested_function_skips_pickling_only():
    """Python cannot pickle it, which is not the router's fault."""
    outcome = check_router(lambda requests, workers: round_robin(requests, workers))
    assert outcome.pop("check_router_pickles").startswith("skipped: a function inside")
    assert set(outcome.values()) == {"passed"}


def test_errors_are_failures_that_name_the_situation():
    """An exception of the router says where it came from."""

    def raises(requests, workers):
        raise KeyError("no such worker")

    with pytest.raises(AssertionError, match="idle: KeyError: 'no such worker'"):
        check_router(raises)

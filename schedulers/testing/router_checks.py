"""What every router must hold; each check is one claim, and says what broke it."""

import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from schedulers.protocols import Router
from schedulers.views import HOLD, Assigning, Ints, Requests, Workers

Check = Callable[[Router], None]


def requests(count: int, prompt: int = 100, output: int = 50) -> Requests:
    """Return requests that are alike but for their number."""
    full = np.full(count, prompt, dtype=np.int64)
    waited = np.linspace(1.0, 0.0, count)
    return Requests(
        np.arange(count, dtype=np.int64), waited, full, np.full(count, output, dtype=np.int64)
    )


def workers(count: int, **changes: Any) -> Workers:
    """Return idle workers with room for ten requests and 10,000 tokens each."""
    zero = np.zeros(count, dtype=np.int64)
    given: dict[str, Any] = {
        name: zero.copy()
        for name in ("running", "waiting", "waiting_tokens", "kv_used", "kv_reserved")
    }
    given["request_limit"] = np.full(count, 10, dtype=np.int64)
    given["kv_capacity"] = np.full(count, 10_000, dtype=np.int64)
    given["up"] = np.ones(count, dtype=bool)
    return Workers(**{**given, **changes})


def ask(router: Router, asked: Requests, among: Workers) -> Ints:
    """Return the answer, of the right shape and kind, every request on a worker open for it."""
    answer = np.asarray(router(asked, among))
    assert answer.shape == (len(asked),), f"answer has shape {answer.shape}, give [{len(asked)}]"
    assert np.issubdtype(answer.dtype, np.integer), f"answer is {answer.dtype}, give integers"
    assigning = Assigning(among)
    for at, chosen in enumerate(answer.tolist()):
        if chosen == HOLD:
            continue
        assert 0 <= chosen < len(among), f"worker {chosen} breaks 0 <= worker < {len(among)}"
        prompt = int(asked.prompt_tokens[at])
        assert assigning.open_for(prompt)[chosen], (
            f"request {at} goes to worker {chosen}, which is down, at its limit or out of cache"
        )
        assigning.add(chosen, prompt, int(asked.output_tokens[at]))
    return answer


def check_answers_none(router: Router) -> None:
    """No requests get no workers."""
    ask(router, requests(0), workers(3))


def check_one_worker(router: Router) -> None:
    """The only worker, idle, gets the only request."""
    assert ask(router, requests(1), workers(1))[0] == 0


def check_serves_when_idle(router: Router) -> None:
    """Of idle workers at least one is used."""
    assert (ask(router, requests(4), workers(5)) != HOLD).any()


def check_never_down(router: Router) -> None:
    """A worker that is down gets nothing, the other one does."""
    up = np.array([False, True, False])
    assert ask(router, requests(1), workers(3, up=up))[0] == 1


def check_request_limit(router: Router) -> None:
    """Requests of one call together keep every limit."""
    limit = np.full(3, 2, dtype=np.int64)
    answer = ask(router, requests(20), workers(3, request_limit=limit))
    assert (answer != HOLD).sum() <= 6


def check_cache(router: Router) -> None:
    """Prompts of one call together fit the cache of their workers."""
    capacity = np.full(3, 250, dtype=np.int64)
    ask(router, requests(20), workers(3, kv_capacity=capacity))


def check_holds_when_full(router: Router) -> None:
    """With no worker open every request is held."""
    full = workers(3, running=np.full(3, 10, dtype=np.int64))
    assert (ask(router, requests(4), full) == HOLD).all()


def check_keeps_its_input(router: Router) -> None:
    """Requests and workers are not changed."""
    asked, among = requests(6), workers(4)
    before = pickle.dumps((asked, among))
    ask(router, asked, among)
    assert pickle.dumps((asked, among)) == before, "the router changed what it was shown"


def check_same_input_same_answer(router: Router) -> None:
    """Asked twice, it answers the same: it has no hidden state."""
    among = workers(5, kv_used=np.array([5, 3, 9, 1, 7]) * 100)
    one, two = (ask(router, requests(6), among) for _ in range(2))
    assert (one == two).all(), f"{one} and then {two}; draw by workers.routed and a seed"


def check_extras(router: Router) -> None:
    """Cached tokens, signatures and expert loads are taken as they come."""
    asked = dataclasses.replace(
        requests(3),
        cached_tokens=np.array([[0, 64, 0, 0]] * 3),
        signature=np.eye(3),
    )
    ask(router, asked, workers(4, expert_load=np.ones((4, 3))))


def check_pickles(router: Router) -> None:
    """It can be sent to another process and answers the same there."""
    copy = pickle.loads(pickle.dumps(router))
    one, two = (ask(each, requests(6), workers(4)) for each in (router, copy))
    assert (one == two).all()


ROUTER_CHECKS: tuple[Check, ...] = (
    check_answers_none,
    check_one_worker,
    check_serves_when_idle,
    check_never_down,
    check_request_limit,
    check_cache,
    check_holds_when_full,
    check_keeps_its_input,
    check_same_input_same_answer,
    check_extras,
    check_pickles,
)


def check_router(router: Router) -> None:
    """Run all checks of routers.

    Raises
    ------
    AssertionError
        Saying what does not hold.
    """
    for check in ROUTER_CHECKS:
        check(router)

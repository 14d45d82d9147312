"""Conformance checks of routers. Each states one claim and raises AssertionError if it is false."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from schedulers.protocols import Router
from schedulers.testing import same_answers
from schedulers.testing.instances import CLOSED, SITUATIONS, asked, idle
from schedulers.testing.same_answers import ask
from schedulers.views import HOLD, Ints, Requests, Workers

ALL = SITUATIONS | CLOSED


def _answers(router: Router) -> Iterator[tuple[str, Requests, Workers, Ints]]:
    for name, make in ALL.items():
        requests, workers = make()
        yield name, requests, workers, ask(router, (requests, workers), name)


def _sums(answer: Ints, amounts: Ints, workers: int) -> Ints:
    """Return [workers] sum of the amounts [requests] that each was given."""
    given = answer >= 0
    sums = np.zeros(workers, dtype=np.int64)
    np.add.at(sums, answer[given], amounts[given])
    return sums


def check_answers_workers(router: Router) -> None:
    """Demand one int64 a request: the index of a worker, or ``HOLD``."""
    for name, _, workers, answer in _answers(router):
        bad = (answer != HOLD) & ((answer < 0) | (answer >= len(workers)))
        assert not bad.any(), f"{name}: {answer[bad][0]} is no worker of {len(workers)}, nor HOLD"


def check_skips_workers_down(router: Router) -> None:
    """Demand that no worker that is down gets a request."""
    for name, _, workers, answer in _answers(router):
        down = answer[(answer >= 0) & ~workers.up[answer]]
        assert not len(down), f"{name}: worker {down[0]} is down and got a request"


def check_request_limit(router: Router) -> None:
    """Demand that no worker gets more requests than its limit, those of one call together."""
    for name, _, workers, answer in _answers(router):
        given = _sums(answer, np.ones_like(answer), len(workers))
        over = (given > 0) & (workers.running + workers.waiting + given > workers.request_limit)
        assert not over.any(), (
            f"{name}: worker {over.argmax()} got {given[over][0]} requests, above its limit of "
            f"{workers.request_limit[over][0]}"
        )


def check_cache_room(router: Router) -> None:
    """Demand free cache for all prompts that a worker gets in one call, and a first token."""
    for name, requests, workers, answer in _answers(router):
        given = _sums(answer, requests.prompt_tokens, len(workers))
        over = (given > 0) & (workers.kv_used + given >= workers.kv_capacity)
        assert not over.any(), (
            f"{name}: worker {over.argmax()} got prompts of {given[over][0]} tokens beside "
            f"{workers.kv_used[over][0]}, of {workers.kv_capacity[over][0]} of cache"
        )


def check_holds_where_none_is_open(router: Router) -> None:
    """Demand ``HOLD`` for every request that no worker is open for."""
    for name, requests, workers, answer in _answers(router):
        for prompt, worker in zip(requests.prompt_tokens, answer, strict=True):
            open_somewhere = workers.open_for(int(prompt)).any()
            assert open_somewhere or worker == HOLD, f"{name}: worker {worker} is not open"


def check_serves_when_idle(router: Router) -> None:
    """Demand that a request is assigned where an idle worker is open for one."""
    for name, requests, workers, answer in _answers(router):
        free = (workers.running + workers.waiting == 0) & (workers.waiting_tokens == 0)
        could = [(workers.open_for(int(p)) & free).any() for p in requests.prompt_tokens]
        assert not any(could) or (answer >= 0).any(), f"{name}: all held, though a worker is idle"


def check_one_request_one_worker(router: Router) -> None:
    """Demand that the only worker gets the only request, as soon as it may."""
    for routed in range(4):
        workers = replace(idle(1), routed=routed)
        answer = ask(router, (asked([7]), workers), f"{routed} routed before")
        assert answer[0] == 0, f"{routed} routed before: the only request goes to {answer[0]}"


def check_pool_drains(router: Router) -> None:
    """Demand that every request is served in the end, where workers finish what they are given."""
    rng = np.random.default_rng(12)
    requests = asked(rng.integers(1, 9_000, 40).tolist())
    left = np.arange(len(requests))
    for _ in range(len(requests)):
        pool = Requests(
            requests.number[left],
            requests.waited_s[left],
            requests.prompt_tokens[left],
            requests.output_tokens[left],
        )
        workers = replace(idle(3, capacity=20_000), routed=len(requests) - len(left))
        left = left[ask(router, (pool, workers), f"{len(left)} left") == HOLD]
        if not len(left):
            return
    raise AssertionError(f"{len(left)} of {len(requests)} requests are held for ever")


def check_without_knowledge(router: Router) -> None:
    """Demand valid answers where neither caches, signatures nor loads of experts are known."""
    for name, make in SITUATIONS.items():
        requests, workers = make()
        blind = replace(requests, cached_tokens=None, signature=None)
        unknown = replace(workers, expert_load=None)
        for question in ((blind, workers), (requests, unknown), (blind, unknown)):
            answer = ask(router, question, name)
            taken = answer[answer != HOLD]
            assert workers.up[taken].all(), f"{name}: a worker that is down got a request"


def check_router_keeps_input(router: Router) -> None:
    """Demand that requests and workers are left as they were."""
    same_answers.assert_input_kept(router, ALL)


def check_router_stateless(router: Router) -> None:
    """Demand that what was asked before changes no answer."""
    same_answers.assert_no_state(router, ALL)


def check_router_deterministic(router: Router) -> None:
    """Demand equal answers to equal questions, whatever the global random state."""
    same_answers.assert_deterministic(router, ALL)


def check_router_pickles(router: Router) -> None:
    """Demand that a pickled and restored router answers like the original."""
    same_answers.assert_pickles(router, ALL)


#: All checks by name, in the order they run.
ROUTER_CHECKS: dict[str, Callable[[Router], None]] = {
    check.__name__: check
    for check in (
        check_answers_workers,
        check_skips_workers_down,
        check_request_limit,
        check_cache_room,
        check_holds_where_none_is_open,
        check_serves_when_idle,
        check_one_request_one_worker,
        check_pool_drains,
        check_without_knowledge,
        check_router_keeps_input,
        check_router_stateless,
        check_router_deterministic,
        check_router_pickles,
    )
}

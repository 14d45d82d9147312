"""Small named situations, easy to understand, for conformance checks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from schedulers.views import Queue, Requests, Workers


def asked(prompts: list[int], outputs: int = 100, **known: Any) -> Requests:
    """Return requests of these prompt tokens, oldest first, a tenth of a second apart."""
    count = len(prompts)
    return Requests(
        number=np.arange(count, dtype=np.int64) + 40,
        waited_s=np.arange(count, 0, -1) / 10,
        prompt_tokens=np.array(prompts, dtype=np.int64),
        output_tokens=np.full(count, outputs, dtype=np.int64),
        **known,
    )


def idle(count: int, *, limit: int = 8, capacity: int = 100_000, **known: Any) -> Workers:
    """Return workers that are up and have nothing to do."""
    nothing = np.zeros(count, dtype=np.int64)
    return Workers(
        running=nothing,
        waiting=nothing.copy(),
        request_limit=np.full(count, limit, dtype=np.int64),
        waiting_tokens=nothing.copy(),
        kv_used=nothing.copy(),
        kv_reserved=nothing.copy(),
        kv_capacity=np.full(count, capacity, dtype=np.int64),
        up=np.ones(count, dtype=np.bool_),
        **known,
    )


def busy(count: int, seed: int = 3) -> Workers:
    """Return workers of uneven load, of which some are down, full or out of cache."""
    generator = np.random.default_rng(seed)
    used = generator.integers(0, 60_000, count)
    return replace(
        idle(count),
        running=generator.integers(0, 6, count),
        waiting=generator.integers(0, 4, count),
        waiting_tokens=generator.integers(0, 9_000, count),
        kv_used=used,
        kv_reserved=used + generator.integers(0, 20_000, count),
        kv_capacity=generator.integers(50_000, 70_000, count),
        up=generator.random(count) < 0.8,
        routed=int(generator.integers(1_000)),
    )


def mixed(count: int, workers: int, seed: int = 4) -> Requests:
    """Return requests of uneven length with cached prefixes and signatures."""
    generator = np.random.default_rng(seed)
    prompts = generator.integers(1, 6_000, count)
    signature = np.abs(generator.normal(size=(count, 6))) + 0.01
    return replace(
        asked(prompts.tolist()),
        output_tokens=generator.integers(1, 900, count),
        cached_tokens=generator.integers(0, prompts[:, None], (count, workers)),
        signature=signature / np.linalg.norm(signature, axis=1, keepdims=True),
    )


Situation = tuple[Requests, Workers]


def _known(count: int, workers: int, seed: int) -> Situation:
    load = np.random.default_rng(seed).random((workers, 6)) * 5
    return mixed(count, workers, seed), replace(busy(workers, seed), expert_load=load)


def _one_up() -> Situation:
    workers = idle(4)
    workers.up[[0, 1, 3]] = False
    return asked([100] * 3), workers


def _one_below_limit() -> Situation:
    workers = idle(4)
    workers.running[:] = [8, 6, 8, 4]
    workers.waiting[:] = [0, 2, 1, 3]  # one place, on the last
    return asked([100] * 3), workers


def _room_for_short() -> Situation:
    workers = idle(3, capacity=10_000)
    workers.kv_used[:] = workers.kv_reserved[:] = [9_900, 9_000, 10_000]
    return asked([5_000, 999, 500, 99, 1]), workers


def _tempting_cache() -> Situation:
    # all that is cached lies where nothing is open
    workers = idle(3, limit=2)
    workers.up[0] = False
    workers.running[1] = 2
    hits = np.tile(np.array([999, 999, 0], dtype=np.int64), (3, 1))
    return asked([1_000] * 3, cached_tokens=hits), workers


#: Name to a function that makes requests and workers.
SITUATIONS: dict[str, Callable[[], Situation]] = {
    "idle": lambda: (asked([1_000, 50, 3_000]), idle(4)),
    "one-worker": lambda: (asked([10, 20]), idle(1)),
    "no-requests": lambda: (asked([]), idle(4)),
    "one-request": lambda: (asked([500]), replace(idle(3), routed=5)),
    "one-up": _one_up,
    "one-below-limit": _one_below_limit,
    "more-than-fit": lambda: (asked([100] * 30), idle(3)),
    "room-for-short": _room_for_short,
    "tempting-cache": _tempting_cache,
    "longer-than-any": lambda: (asked([200_000, 10]), idle(2)),
    "known-experts": lambda: _known(9, 5, seed=6),
    "busy": lambda: (mixed(12, 10), busy(10)),
    "many": lambda: _known(60, 40, seed=8),
}

#: Name to requests and workers of which none is open for any request.
CLOSED: dict[str, Callable[[], Situation]] = {
    "all-down": lambda: (asked([100, 200]), replace(idle(3), up=np.zeros(3, dtype=np.bool_))),
    "all-at-limit": lambda: (
        asked([100]),
        replace(idle(2), running=np.array([8, 3]), waiting=np.array([0, 5])),
    ),
    "no-cache-left": lambda: (asked([100, 100]), replace(idle(2), kv_used=np.full(2, 99_900))),
    "one-down": lambda: (asked([1]), replace(idle(1), up=np.zeros(1, dtype=np.bool_))),
    "no-limit-at-all": lambda: (asked([1]), idle(2, limit=0)),
    "no-cache-at-all": lambda: (asked([1]), idle(2, capacity=0)),
}


def queue(left: list[int], decoding: int = 0) -> Queue:
    """Return prompts with these tokens left, oldest first, a second apart; the first started."""
    count = len(left)
    return Queue(
        left_tokens=np.array(left, dtype=np.int64),
        waited_s=np.arange(count, 0, -1, dtype=np.float64),
        started=np.arange(count) == 0,
        decoding=decoding,
    )


#: Name to a function that makes a queue and the tokens of a step.
QUEUES: dict[str, Callable[[], tuple[Queue, int]]] = {
    "empty": lambda: (queue([]), 1_000),
    "one": lambda: (queue([300]), 1_000),
    "exactly-full": lambda: (queue([400, 600]), 1_000),
    "one-too-many": lambda: (queue([400, 601]), 1_000),
    "longer-than-a-step": lambda: (queue([5_000, 10]), 1_000),
    "long-behind-short": lambda: (queue([10, 5_000, 20]), 1_000),
    "decoding-beside": lambda: (queue([700, 300, 300], decoding=100), 1_000),
    "decoding-takes-most": lambda: (queue([50, 700], decoding=999), 1_000),
    "decoding-fills": lambda: (queue([50, 700], decoding=1_000), 1_000),
    "decoding-overfills": lambda: (queue([50], decoding=1_200), 1_000),
    "one-token-steps": lambda: (queue([1, 3, 2]), 1),
    "many": lambda: (queue(np.random.default_rng(5).integers(1, 900, 50).tolist(), 30), 2_000),
}

"""What schedulers can see: waiting requests, and workers that could run them."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Requests:
    """Requests that wait for a decision, oldest first; one entry of every array for each.

    Parameters
    ----------
    number
        [requests] running number of the request in its trace.
    waited_s
        [requests] seconds since it joined the queue that it waits in.
    prompt_tokens
        [requests] tokens whose keys and values it needs before it decodes on: its prompt and, after
        a fault, what it had generated.
    output_tokens
        [requests] tokens that it is expected to generate: a prediction, as the scenario's
        ``length_prediction`` makes it, never more than a production system could know.
    cached_tokens
        [requests, workers] tokens of the prompt in the prefix cache of each worker; ``None``: no
        worker has any.
    signature
        [requests, features] unit vector of the experts that its prefill chose; ``None``: unknown.
    """

    number: Ints
    waited_s: Floats
    prompt_tokens: Ints
    output_tokens: Ints
    cached_tokens: Ints | None = None
    signature: Floats | None = None

    def __len__(self) -> int:
        """Return how many requests there are."""
        return len(self.number)


@dataclass(frozen=True, eq=False)
class Workers:
    """Workers that a router chooses among, task executors or DP groups; as last reported.

    All but ``routed`` and ``up`` may be stale by the scenario's ``telemetry_s``; requests that the
    router itself has assigned since are counted in (as TE-shell does, xDeepServe section 4.3).

    Parameters
    ----------
    running, waiting
        [workers] requests that run, and that were assigned and do not run yet.
    request_limit
        [workers] most requests that may run there.
    waiting_tokens
        [workers] prompt tokens that are still to be computed there.
    kv_used, kv_reserved, kv_capacity
        [workers] tokens of key-value cache: held now; held once all its requests, waiting ones
        among them, have generated what is expected of them; and all there is.
    up
        [workers] whether it takes requests at all.
    expert_load
        [workers, features] sum of the signatures of its requests; ``None``: unknown.
    routed
        Requests that were routed here before: a router without state may count or draw by it.
    """

    running: Ints
    waiting: Ints
    request_limit: Ints
    waiting_tokens: Ints
    kv_used: Ints
    kv_reserved: Ints
    kv_capacity: Ints
    up: NDArray[np.bool_]
    expert_load: Floats | None = None
    routed: int = 0

    def __len__(self) -> int:
        """Return how many workers there are."""
        return len(self.running)

    def open_for(self, prompt_tokens: int) -> NDArray[np.bool_]:
        """[workers] up, below their limit, and with free cache for a prompt and its first token."""
        free = self.up & (self.running + self.waiting < self.request_limit)
        return free & (self.kv_used + prompt_tokens < self.kv_capacity)


@dataclass(frozen=True, eq=False)
class Queue:
    """Prompts that wait on one DP group, oldest first, for a batch policy.

    Parameters
    ----------
    left_tokens
        [requests] prompt tokens that are still to be computed, at least 1.
    waited_s
        [requests] seconds in the queue.
    started
        [requests] whether a chunk of it was computed before.
    decoding
        Query tokens that sequences in decode take of the same step.
    """

    left_tokens: Ints
    waited_s: Floats
    started: NDArray[np.bool_]
    decoding: int = 0

    def __len__(self) -> int:
        """Return how many prompts wait."""
        return len(self.left_tokens)


#: What a router answers for a request that it would rather hold than assign.
HOLD = -1


@dataclass
class Assigning:
    """Running totals of workers while a router goes through several requests, its own to change.

    Parameters
    ----------
    workers
        Where the totals begin.
    """

    workers: Workers
    requests: Ints = field(init=False)
    waiting_tokens: Ints = field(init=False)
    kv_used: Ints = field(init=False)
    kv_reserved: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.requests = self.workers.running + self.workers.waiting
        self.waiting_tokens = self.workers.waiting_tokens.copy()
        self.kv_used = self.workers.kv_used.copy()
        self.kv_reserved = self.workers.kv_reserved.copy()

    def open_for(self, prompt_tokens: int) -> NDArray[np.bool_]:
        """[workers] as in :meth:`Workers.open_for`, with what was assigned since."""
        free = self.workers.up & (self.requests < self.workers.request_limit)
        return free & (self.kv_used + prompt_tokens < self.workers.kv_capacity)

    def add(self, worker: int, prompt_tokens: int, output_tokens: int) -> None:
        """Count one request in."""
        self.requests[worker] += 1
        self.waiting_tokens[worker] += prompt_tokens
        self.kv_used[worker] += prompt_tokens
        self.kv_reserved[worker] += prompt_tokens + output_tokens

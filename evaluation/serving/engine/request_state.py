"""Requests in flight: what of each is still to be done, and who holds its keys and values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schedulers.views import Requests
from traces.requests import RequestTrace

Ints = NDArray[np.int64]


@dataclass(eq=False)
class Live:
    """State of every request of a trace; arrays of [requests].

    Parameters
    ----------
    trace
        The requests.
    predicted
        Output tokens that schedulers expect.
    need
        Tokens whose keys and values a request needs to decode: its prompt, and after a fault or a
        preemption also what it had generated.
    done
        Of ``need``, computed or found in a prefix cache.
    generated
        Tokens produced so far.
    joined_s, entered_s
        When it joined its present queue, and its decode batch.
    holder, group
        Number of the task executor that holds its keys and values, and the DP group in it; -1: no
        one does.
    attempt
        Raised when a request starts anew, so that what was under way for it is known to be stale.
    """

    trace: RequestTrace
    predicted: Ints
    need: Ints = field(init=False)
    done: Ints = field(init=False)
    generated: Ints = field(init=False)
    joined_s: NDArray[np.float64] = field(init=False)
    entered_s: NDArray[np.float64] = field(init=False)
    holder: Ints = field(init=False)
    group: Ints = field(init=False)
    attempt: Ints = field(init=False)
    domain: NDArray[np.int32] = field(init=False)
    prefix_start: Ints = field(init=False)

    def __post_init__(self) -> None:
        count = self.trace.num_requests
        self.need = self.trace.prompt_tokens.astype(np.int64)
        for name in ("done", "generated", "attempt"):
            setattr(self, name, np.zeros(count, dtype=np.int64))
        for name in ("joined_s", "entered_s"):
            setattr(self, name, np.zeros(count))
        for name in ("holder", "group"):
            setattr(self, name, np.full(count, -1, dtype=np.int64))
        domain = self.trace.domain
        self.domain = np.zeros(count, dtype=np.int32) if domain is None else domain
        blocks = self.trace.prefix_blocks
        lengths = np.zeros(count, dtype=np.int64) if blocks is None else blocks
        self.prefix_start = np.concatenate([[0], np.cumsum(lengths)])

    def prefix(self, request: int) -> list[int]:
        """Ids of the whole blocks of a request's prompt, in order; empty where none are known."""
        hashes: Any = self.trace.prefix_hashes
        if hashes is None:
            return []
        start, end = self.prefix_start[request : request + 2]
        whole = self.trace.prompt_tokens[request] // (self.trace.block_tokens or 1)
        found: list[int] = hashes[start : min(end, start + whole)].tolist()
        return found

    def view(
        self, requests: Sequence[int], now_s: float, cached: Any = None, signature: Any = None
    ) -> Requests:
        """Return what a router may know of requests, ``cached`` tokens and ``signature`` given."""
        ids = np.array(requests, dtype=np.int64)
        waited_s = now_s - self.joined_s[ids]
        return Requests(ids, waited_s, self.need[ids], self.predicted[ids], cached, signature)

    def left(self, request: int) -> int:
        """Output tokens that are still to be generated."""
        return int(self.trace.output_tokens[request] - self.generated[request])

    def start_over(self, request: int) -> None:
        """Forget its keys and values: all it has read and generated is to be computed again."""
        self.need[request] = self.trace.prompt_tokens[request] + self.generated[request]
        self.done[request] = 0
        self.holder[request] = self.group[request] = -1
        self.attempt[request] += 1

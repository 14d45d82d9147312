"""The prefill side of a task executor: pool, queues of DP groups, chunks, prefix cache."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.ask_router import ask
from evaluation.serving.engine.decode_batch import whole_blocks
from evaluation.serving.engine.log import RequestLog
from evaluation.serving.engine.prefix_cache import PrefixCache
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.telemetry import Board
from schedulers.protocols import BatchPolicy, Router
from schedulers.views import Queue, Requests

Ints = NDArray[np.int64]
#: A queue has no limit of its own; memory is what bounds those that have begun.
UNLIMITED = 2**62
#: Requests of a pool that a router is shown at once, oldest first: an assumption.
SHOWN = 512


@dataclass(frozen=True)
class Chunk:
    """Prompt tokens of one request in one step."""

    request: int
    group: int
    tokens: int
    context: float


class PrefillSide:
    """Prompts of one task executor.

    Parameters
    ----------
    groups
        DP groups.
    router, policy
        Which group, and which tokens in a step.
    step_tokens
        Tokens of one DP group in one step.
    free
        Returns the tokens of cache that a group has free.
    live, log
        State and record of every request.
    block_tokens
        Of the key-value cache.
    """

    def __init__(
        self,
        groups: int,
        router: Router,
        policy: BatchPolicy,
        step_tokens: int,
        free: Callable[[int], int],
        live: Live,
        log: RequestLog,
        block_tokens: int,
    ) -> None:
        self.router, self.policy, self.step_tokens = router, policy, step_tokens
        self.pooled = bool(getattr(router, "pooled", False))
        self.free, self.live, self.log, self.block_tokens = free, live, log, block_tokens
        self.pool: list[int] = []
        self.queues: list[list[int]] = [[] for _ in range(groups)]
        self.started: set[int] = set()
        self.running: Ints = np.zeros(groups, dtype=np.int64)
        self.waiting: Ints = np.zeros(groups, dtype=np.int64)
        self.waiting_tokens: Ints = np.zeros(groups, dtype=np.int64)
        self.held: Ints = np.zeros(groups, dtype=np.int64)
        self.expected: Ints = np.zeros(groups, dtype=np.int64)
        self.caches = [PrefixCache() for _ in range(groups)]
        self.prefixes = live.trace.prefix_hashes is not None
        self.prefix_block = live.trace.block_tokens or 1

    @property
    def queued(self) -> int:
        """Requests that wait or whose prompt is under way."""
        return len(self.pool) + sum(map(len, self.queues))

    def join(self, request: int, now_s: float, board: Board) -> None:
        """Take a request in; a router that is not pooled sends it to a group at once."""
        self.live.joined_s[request] = now_s
        self.pool.append(request)
        if not self.pooled and len(self.pool) == 1:
            self.assign(now_s, board)

    def assign(self, now_s: float, board: Board) -> None:
        """Ask the router about those that are in no group's queue yet."""
        if not self.pool:
            return
        requests = self.view(self.pool[:SHOWN], now_s)
        assigned, held = ask(self.router, requests, board.view(now_s))
        for request, group in assigned:
            need = int(self.live.need[request])
            self.queues[group].append(request)
            self.waiting[group] += 1
            self.waiting_tokens[group] += need
            self.expected[group] += need
            board.count_in(group, need, 0)
        self.pool = held + self.pool[SHOWN:]

    def view(self, requests: list[int], now_s: float) -> Requests:
        """Return what a router may know of requests."""
        cached = None
        if self.prefixes:
            cached = np.array([self.cached(request) for request in requests])
        return self.live.view(requests, now_s, cached)

    def cached(self, request: int) -> list[int]:
        """Return [groups] tokens of its prompt in each group's prefix cache."""
        prefix = self.live.prefix(request)
        return [self._found(cache, prefix, request) for cache in self.caches]

    def _found(self, cache: PrefixCache, prefix: list[int], request: int) -> int:
        """Return the tokens of a prompt in a cache; its last one is computed in any case."""
        return min(cache.match(prefix) * self.prefix_block, int(self.live.need[request]) - 1)

    def plan(self, now_s: float, decoding: Ints) -> list[Chunk]:
        """Return the chunks of the next step, starting prompts where memory allows.

        Parameters
        ----------
        now_s
            Now.
        decoding
            [groups] query tokens that sequences in decode take of the step.
        """
        chunks = []
        for group in np.flatnonzero(self.waiting + self.running).tolist():
            queue = self.queues[group]
            ids = np.array(queue)
            left = self.live.need[ids] - self.live.done[ids]
            begun = np.array([request in self.started for request in queue])
            state = Queue(left, now_s - self.live.joined_s[ids], begun, int(decoding[group]))
            tokens = self.policy(state, self.step_tokens)
            for at in np.flatnonzero(tokens).tolist():
                request = queue[at]
                if not begun[at] and not self._start(request, group, now_s):
                    break  # memory is short: none that came later may overtake it
                rest = int(self.live.need[request] - self.live.done[request])
                taken = min(int(tokens[at]), rest)
                before = int(self.live.done[request])
                context = taken * before + taken * (taken + 1) / 2
                chunks.append(Chunk(request, group, taken, context))
        return chunks

    def _start(self, request: int, group: int, now_s: float) -> bool:
        """Reserve the cache of a whole prompt; False if there is no room."""
        live, need = self.live, int(self.live.need[request])
        held = whole_blocks(need + 1, self.block_tokens)
        if held > self.free(group):
            return False
        if self.prefixes:
            self._trim(group)
            cached = self._found(self.caches[group], live.prefix(request), request)
            live.done[request] = cached
            self.waiting_tokens[group] -= cached
            if np.isnan(self.log.prefill_start_s[request]):
                self.log.cached_tokens[request] = cached
        self.held[group] += held
        self._trim(group)
        self.started.add(request)
        self.waiting[group] -= 1
        self.running[group] += 1
        if np.isnan(self.log.prefill_start_s[request]):
            self.log.prefill_start_s[request] = now_s
        return True

    def _trim(self, group: int) -> None:
        """Forget blocks that lie in memory which requests have taken since they were kept."""
        self.caches[group].trim(self.free(group) // self.prefix_block)

    def computed(self, chunk: Chunk) -> bool:
        """Note that a chunk was computed; return whether its prompt is complete."""
        request, group = chunk.request, chunk.group
        self.live.done[request] += chunk.tokens
        self.waiting_tokens[group] -= chunk.tokens
        if self.live.done[request] < self.live.need[request]:
            return False
        self.queues[group].remove(request)
        self.started.discard(request)
        self.running[group] -= 1
        self.expected[group] -= self.live.need[request]
        return True

    def release(self, request: int, group: int) -> None:
        """Give back the cache of a prompt; its whole blocks stay as long as nobody needs room."""
        self.held[group] -= whole_blocks(int(self.live.need[request]) + 1, self.block_tokens)
        if self.prefixes:
            room = self.free(group) // self.prefix_block
            self.caches[group].keep(self.live.prefix(request), room)

    def drop(self, group: int) -> list[int]:
        """Empty a group that failed; return the requests that were in it."""
        lost = self.queues[group]
        self.started.difference_update(lost)
        self.queues[group] = []
        for table in (self.running, self.waiting, self.waiting_tokens, self.held, self.expected):
            table[group] = 0
        self.caches[group].clear()
        return lost

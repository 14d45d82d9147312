"""The prefill side of a task executor: pool, queues of DP groups, chunks, prefix cache."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.assigner import Assigner
from evaluation.serving.engine.chunk import Chunk
from evaluation.serving.engine.kv_memory import KvMemory
from evaluation.serving.engine.prefix_cache import PrefixCache
from evaluation.serving.engine.request_state import RequestState
from schedulers.protocols import BatchPolicy
from schedulers.views import Queue, Workers

Ints = NDArray[np.int64]
#: A queue has no limit of its own. Memory limits the prompts that have started.
UNLIMITED = 2**62
#: Most requests of a pool that a router sees at once, oldest first: an assumption.
POOL_LIMIT = 512


class PrefillSide:
    """Prompts of one task executor.

    Parameters
    ----------
    requests
        State of every request.
    memory
        Key-value memory of the DP groups.
    assigner
        Chooses the DP group of a prompt.
    policy
        Chooses the tokens of a step.
    step_tokens
        Tokens of one DP group in one step.
    """

    def __init__(
        self,
        requests: RequestState,
        memory: KvMemory,
        assigner: Assigner,
        policy: BatchPolicy,
        step_tokens: int,
    ) -> None:
        self.requests, self.memory, self.assigner = requests, memory, assigner
        self.policy, self.step_tokens = policy, step_tokens
        groups = len(memory.capacity)
        self.pool: list[int] = []
        self.queues: list[list[int]] = [[] for _ in range(groups)]
        self.started: set[int] = set()
        self.running: Ints = np.zeros(groups, dtype=np.int64)
        self.waiting: Ints = np.zeros(groups, dtype=np.int64)
        self.waiting_tokens: Ints = np.zeros(groups, dtype=np.int64)
        self.expected: Ints = np.zeros(groups, dtype=np.int64)
        self.caches = [PrefixCache() for _ in range(groups)]
        self.prefixes = requests.trace.prefix_hashes is not None
        self.prefix_block = requests.trace.block_tokens or 1

    @property
    def queued(self) -> int:
        """Requests that wait or whose prompt is under way."""
        return len(self.pool) + sum(map(len, self.queues))

    def workers(self, up: NDArray[np.bool_]) -> Workers:
        """Return the DP groups as a prefill router sees them."""
        memory, used = self.memory, self.memory.used
        return Workers(
            self.running,
            self.waiting,
            np.full(len(used), UNLIMITED, dtype=np.int64),
            self.waiting_tokens,
            used,
            np.maximum(used, self.expected + memory.running),
            memory.capacity,
            up,
        )

    def join(self, request: int, now_s: float) -> None:
        """Take a request in; a router that is not pooled sends it to a group at once."""
        self.requests.join_queue(request, now_s)
        self.pool.append(request)
        if not self.assigner.pooled and len(self.pool) == 1:
            self.assign(now_s)

    def assign(self, now_s: float) -> None:
        """Ask the router about the requests that are in no group's queue yet."""
        if not self.pool:
            return
        shown, rest = self.pool[:POOL_LIMIT], self.pool[POOL_LIMIT:]
        cached = np.array([self.cached(request) for request in shown]) if self.prefixes else None
        assigned, held = self.assigner(self.requests.prefill_view(shown, now_s, cached), now_s)
        for request, group in assigned:
            need = int(self.requests.need[request])
            self.queues[group].append(request)
            self.waiting[group] += 1
            self.waiting_tokens[group] += need
            self.expected[group] += need
        self.pool = held + rest

    def cached(self, request: int) -> list[int]:
        """Return [groups] prompt tokens that are in the prefix cache of each group."""
        prefix = self.requests.prefix(request)
        return [self._match(cache, prefix, request) for cache in self.caches]

    def _match(self, cache: PrefixCache, prefix: list[int], request: int) -> int:
        """Return the prompt tokens in a cache; the last token is computed in any case."""
        most = int(self.requests.need[request]) - 1
        return min(cache.match(prefix) * self.prefix_block, most)

    def plan(self, now_s: float, decoding: Ints) -> list[Chunk]:
        """Return the chunks of the next step, starting prompts where memory allows.

        Parameters
        ----------
        now_s
            Seconds of simulated time.
        decoding
            [groups] query tokens of the step that sequences in decode take.
        """
        requests, chunks = self.requests, []
        for group in np.flatnonzero(self.waiting + self.running).tolist():
            queue = self.queues[group]
            ids = np.array(queue)
            left = requests.need[ids] - requests.done[ids]
            started = np.array([request in self.started for request in queue])
            state = Queue(left, now_s - requests.joined_s[ids], started, int(decoding[group]))
            tokens = self.policy(state, self.step_tokens)
            for at in np.flatnonzero(tokens).tolist():
                request = queue[at]
                if not started[at] and not self._start(request, group, now_s):
                    break  # Memory is short. No prompt that came later may overtake this one.
                before = int(requests.done[request])
                size = min(int(tokens[at]), int(requests.need[request]) - before)
                # Token i of the chunk attends to all tokens before it and to itself.
                context = size * before + size * (size + 1) / 2
                chunks.append(Chunk(request, group, size, before, context))
        return chunks

    def _start(self, request: int, group: int, now_s: float) -> bool:
        """Reserve the cache of a whole prompt; return False if the group lacks memory."""
        reserved = self.memory.blocks(int(self.requests.need[request]))
        if reserved > self.memory.free(group):
            return False
        cached = 0
        if self.prefixes:
            self._trim(group)
            cached = self._match(self.caches[group], self.requests.prefix(request), request)
            self.waiting_tokens[group] -= cached
        self.requests.start_prefill(request, cached, now_s)
        self.memory.prompts[group] += reserved
        self._trim(group)
        self.started.add(request)
        self.waiting[group] -= 1
        self.running[group] += 1
        return True

    def _trim(self, group: int) -> None:
        """Forget blocks whose memory requests have taken since the blocks were kept."""
        self.caches[group].trim(self.memory.free(group) // self.prefix_block)

    def compute(self, chunk: Chunk) -> bool:
        """Note that a chunk is computed; return whether its prompt is complete."""
        request, group = chunk.request, chunk.group
        self.waiting_tokens[group] -= chunk.tokens
        if not self.requests.compute_prompt(request, chunk.tokens):
            return False
        self.queues[group].remove(request)
        self.started.discard(request)
        self.running[group] -= 1
        self.expected[group] -= self.requests.need[request]
        return True

    def release(self, request: int, group: int) -> None:
        """Free the memory of a prompt; its whole blocks stay until others need the memory."""
        self.memory.prompts[group] -= self.memory.blocks(int(self.requests.need[request]))
        if self.prefixes:
            free_blocks = self.memory.free(group) // self.prefix_block
            self.caches[group].keep(self.requests.prefix(request), free_blocks)

    def trim_prefixes(self, group: int) -> None:
        """Forget all blocks that a group has kept."""
        self.caches[group].trim(0)

    def fail_group(self, group: int) -> list[int]:
        """Empty a group that has failed; return the requests that were in it."""
        lost = self.queues[group]
        self.started.difference_update(lost)
        self.queues[group] = []
        tables = (self.running, self.waiting, self.waiting_tokens, self.expected)
        for table in (*tables, self.memory.prompts):
            table[group] = 0
        self.caches[group].clear()
        return lost

    def drain_pool(self) -> list[int]:
        """Return the requests that are in no group's queue yet, and forget them."""
        pool, self.pool = self.pool, []
        return pool

"""The decode side of a task executor: who waits for a DP group, who is on the way, who runs."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.assigner import Assigner
from evaluation.serving.engine.decode_batch import DecodeBatch
from evaluation.serving.engine.events import TransferRequested
from evaluation.serving.engine.kv_memory import KvMemory
from evaluation.serving.engine.request_state import RequestState
from schedulers.views import Workers

Ints = NDArray[np.int64]
#: Most requests that a router sees at once, oldest first: an assumption that bounds its work.
PENDING_LIMIT = 256


class LostRequests(NamedTuple):
    """Requests of DP groups that have failed.

    Parameters
    ----------
    recompute
        Requests whose keys and values are lost.
    reroute
        Requests whose keys and values are still where their prompt was computed.
    """

    recompute: list[int]
    reroute: list[int]


class DecodeSide:
    """Requests that generate on one task executor.

    Parameters
    ----------
    requests
        State of every request.
    memory
        Key-value memory of the DP groups.
    assigner
        Chooses the DP group of a request.
    batch
        The running sequences.

    Attributes
    ----------
    pending
        Requests that have no DP group yet.
    deferred
        By DP group, requests that wait until it has memory and a place in its batch.
    inbound
        By DP group, requests whose keys and values are on their way to it.
    expected
        [groups] tokens of cache once all its requests have generated what is expected of them.
    expert_load
        [groups, features] sum of the expert-affinity features of running sequences.
    """

    def __init__(
        self, requests: RequestState, memory: KvMemory, assigner: Assigner, batch: DecodeBatch
    ) -> None:
        groups, affinity = len(batch.count), requests.affinity
        self.requests, self.memory = requests, memory
        self.assigner, self.batch = assigner, batch
        self.pending: list[int] = []
        self.deferred: list[list[int]] = [[] for _ in range(groups)]
        self.inbound: list[set[int]] = [set() for _ in range(groups)]
        self.arriving: Ints = np.zeros(groups, dtype=np.int64)
        self.expected: Ints = np.zeros(groups, dtype=np.int64)
        self.expert_load = np.zeros((groups, 0 if affinity is None else affinity.num_features))
        # Sequences that have entered since the step under way began, and those whose first step it
        # is. The end of that step is the time of their second token.
        self._fresh: list[int] = []
        self._first_step: list[int] = []
        self._router_holds = False

    @property
    def waiting(self) -> Ints:
        """[groups] requests that were assigned and do not run yet."""
        deferred = np.fromiter(map(len, self.deferred), dtype=np.int64, count=len(self.deferred))
        return deferred + self.arriving

    def workers(self, up: NDArray[np.bool_], waiting_tokens: Ints) -> Workers:
        """Return the DP groups as a decode router sees them."""
        memory, used = self.memory, self.memory.used
        return Workers(
            self.batch.count,
            self.waiting,
            np.full(len(used), self.batch.limit, dtype=np.int64),
            waiting_tokens,
            used,
            np.maximum(used, self.expected),
            memory.capacity,
            up,
            None if self.requests.affinity is None else self.expert_load,
        )

    def join(self, request: int, now_s: float) -> list[TransferRequested]:
        """Take a request in; ask the router, unless it holds requests that came before."""
        self.requests.join_queue(request, now_s)
        self.pending.append(request)
        # Requests that came before may be gone by now, failed or withdrawn: then nothing is held.
        first = len(self.pending) == 1
        return [] if self._router_holds and not first else self.assign(now_s)

    def assign(self, now_s: float) -> list[TransferRequested]:
        """Ask the router about requests that have no group yet; return the transfers to start."""
        if not self.pending:
            return []
        shown, rest = self.pending[:PENDING_LIMIT], self.pending[PENDING_LIMIT:]
        assigned, held = self.assigner(self.requests.decode_view(shown, now_s), now_s)
        transfers = []
        for request, group in assigned:
            self.expect(request, group)
            self.deferred[group].append(request)
            transfers += self.take(group)
        self.pending = held + rest
        self._router_holds = bool(held)
        return transfers

    def take(self, group: int) -> list[TransferRequested]:
        """Reserve memory for waiting requests of a group, oldest first, while it has any."""
        batch, waits, transfers = self.batch, self.deferred[group], []
        while waits and batch.count[group] + self.arriving[group] < batch.limit:
            reserved = self.memory.blocks(int(self.requests.need[waits[0]]))
            if reserved > self.memory.free(group):
                break
            request = waits.pop(0)
            self.inbound[group].add(request)
            self.arriving[group] += 1
            self.memory.arriving[group] += reserved
            transfers.append(TransferRequested(request, group))
        return transfers

    def arrive(self, request: int, group: int) -> None:
        """Free what was reserved for a request that is no longer on its way to a group."""
        self.inbound[group].discard(request)
        self.arriving[group] -= 1
        self.memory.arriving[group] -= self.memory.blocks(int(self.requests.need[request]))

    def start(self, request: int, group: int) -> None:
        """Let a request run whose keys and values are in its group."""
        requests = self.requests
        self.batch.enter(request, group, int(requests.need[request]), requests.left(request))
        self._fresh.append(request)
        if requests.affinity is not None:
            self.expert_load[group] += requests.affinity.of(request)

    def begin_step(self) -> None:
        """Begin a step of the running requests; one that enters meanwhile joins the next step."""
        self.batch.begin()
        self._first_step += self._fresh
        self._fresh = []

    def end_step(self, now_s: float) -> tuple[list[tuple[int, int]], int]:
        """End a step; return (request, group) of those that have ended, and tokens emitted."""
        ended, emitted = self.batch.step()
        self.requests.note_first_decode_step(self._first_step, now_s)
        self._first_step.clear()
        return [(request, group) for request, group in ended.tolist()], emitted

    def leave(self, request: int, group: int) -> None:
        """Forget a request that ran and has left the batch."""
        self.unexpect(request, group)
        if self.requests.affinity is not None:
            self.expert_load[group] -= self.requests.affinity.of(request)

    def expect(self, request: int, group: int) -> None:
        """Count the cache that a request is expected to need in a group."""
        self.expected[group] += self.requests.need[request] + self.requests.predicted[request]

    def unexpect(self, request: int, group: int) -> None:
        """Take back :meth:`expect`."""
        self.expected[group] -= self.requests.need[request] + self.requests.predicted[request]

    def preempt_youngest(self, group: int) -> int:
        """Take out and return the running request of a group that entered last."""
        running = self.batch.request[group, : self.batch.count[group]]
        request = int(running[np.argmax(self.requests.entered_s[running])])
        self.requests.preempt(request, self.batch.remove(request, group))
        self.leave(request, group)
        if request in self._fresh:
            self._fresh.remove(request)
        return request

    def note_generated(self) -> None:
        """Write down how many tokens the running requests have generated so far."""
        for group, count in enumerate(self.batch.count.tolist()):
            running, left = self.batch.request[group, :count], self.batch.left[group, :count]
            self.requests.note_generated(running, left)

    def withdraw(self, request: int) -> None:
        """Forget a request that does not run yet, wherever it waits."""
        if request in self.pending:
            self.pending.remove(request)
            return
        for group, waits in enumerate(self.deferred):
            if request in waits:
                waits.remove(request)
            elif request in self.inbound[group]:
                self.arrive(request, group)
            else:
                continue
            self.unexpect(request, group)
            return

    def fail_group(self, group: int) -> LostRequests:
        """Empty a group that has failed."""
        ran = self.batch.request[group, : self.batch.count[group]].tolist()
        for request in ran:
            self.requests.stop_decode(request, self.batch.remove(request, group))
        reroute = self.deferred[group] + sorted(self.inbound[group])
        self.deferred[group], self.inbound[group] = [], set()
        self.expert_load[group] = 0.0
        for table in (self.arriving, self.memory.arriving, self.expected):
            table[group] = 0
        self._fresh = _without(self._fresh, ran)
        self._first_step = _without(self._first_step, ran)
        return LostRequests(ran, reroute)

    def drain_pending(self) -> list[int]:
        """Return the requests that have no group yet, and forget them."""
        pending, self.pending = self.pending, []
        return pending


def _without(requests: list[int], removed: Iterable[int]) -> list[int]:
    gone = set(removed)
    return [request for request in requests if request not in gone]

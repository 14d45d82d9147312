"""The decode side of a task executor: who waits for a DP group, who is on the way, who runs."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.ask_router import ask
from evaluation.serving.engine.decode_batch import DecodeBatch, whole_blocks
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.telemetry import Board
from schedulers.protocols import Router
from schedulers.views import Requests

Ints = NDArray[np.int64]
#: Requests that a router is shown at once, oldest first: an assumption that bounds its work.
SHOWN = 256


class DecodeSide:
    """Requests that generate on one task executor.

    Parameters
    ----------
    batch
        Those that run.
    router
        Which DP group a request goes to.
    free
        Returns the tokens of cache that a group has free.
    receive
        Begins the transfer of a request's cache to a group.
    live
        State of every request.
    view
        Returns what the router may know of some requests at a time.
    """

    def __init__(
        self,
        batch: DecodeBatch,
        router: Router,
        free: Callable[[int], int],
        receive: Callable[[int, int], None],
        live: Live,
        view: Callable[[list[int], float], Requests],
    ) -> None:
        groups = len(batch.count)
        self.batch, self.router, self.free = batch, router, free
        self.receive, self.live, self.view = receive, live, view
        self.pending: list[int] = []
        self.deferred: list[list[int]] = [[] for _ in range(groups)]
        self.inbound: list[set[int]] = [set() for _ in range(groups)]
        self.arriving: Ints = np.zeros(groups, dtype=np.int64)
        self.arriving_held: Ints = np.zeros(groups, dtype=np.int64)
        self.expected: Ints = np.zeros(groups, dtype=np.int64)
        self.fresh: list[int] = []
        self.first_step: list[int] = []
        self.seen_full = False

    @property
    def waiting(self) -> Ints:
        """[groups] requests that were assigned and do not run yet."""
        later = np.fromiter(map(len, self.deferred), dtype=np.int64, count=len(self.deferred))
        return later + self.arriving

    def join(self, request: int, now_s: float, board: Board) -> None:
        """Take a request in and ask the router, unless all before it have to wait."""
        self.live.joined_s[request] = now_s
        self.pending.append(request)
        if not self.seen_full:
            self.assign(now_s, board)

    def assign(self, now_s: float, board: Board) -> None:
        """Ask the router about those that have no group yet."""
        if not self.pending:
            return
        requests = self.view(self.pending[:SHOWN], now_s)
        assigned, held = ask(self.router, requests, board.view(now_s))
        for request, group in assigned:
            need, more = int(self.live.need[request]), int(self.live.predicted[request])
            self.expected[group] += need + more
            board.count_in(group, need, more)
            self.deferred[group].append(request)
            self.take(group)
        self.pending = held + self.pending[SHOWN:]
        self.seen_full = bool(held)

    def take(self, group: int) -> None:
        """Begin the transfers for which a group has room; the others are deferred RECVs."""
        batch, waits = self.batch, self.deferred[group]
        while waits and batch.count[group] + self.arriving[group] < batch.limit:
            request = waits[0]
            held = whole_blocks(int(self.live.need[request]) + 1, batch.block_tokens)
            if held > self.free(group):
                return
            waits.pop(0)
            self.inbound[group].add(request)
            self.arriving[group] += 1
            self.arriving_held[group] += held
            self.receive(request, group)

    def enter(self, request: int, group: int, now_s: float) -> None:
        """Let a request run whose keys and values have arrived."""
        self.arrived(request, group)
        self.start(request, group, now_s)

    def arrived(self, request: int, group: int) -> None:
        """Forget that a request is on its way to a group."""
        need = int(self.live.need[request])
        self.inbound[group].discard(request)
        self.arriving[group] -= 1
        self.arriving_held[group] -= whole_blocks(need + 1, self.batch.block_tokens)

    def start(self, request: int, group: int, now_s: float) -> None:
        """Let a request run whose keys and values are in its group."""
        need = int(self.live.need[request])
        self.live.entered_s[request] = now_s
        self.batch.enter(request, group, need, self.live.left(request))
        self.fresh.append(request)

    def begin(self) -> None:
        """Begin a step of those that run; one that enters meanwhile takes part in the next."""
        self.batch.begin()
        self.first_step += self.fresh
        self.fresh = []

    def leave(self, request: int, group: int) -> None:
        """Forget what was expected of a request that has left the group."""
        self.expected[group] -= self.live.need[request] + self.live.predicted[request]

    def youngest(self, group: int) -> int:
        """Return the running request of a group that entered last."""
        running = self.batch.request[group, : self.batch.count[group]]
        return int(running[np.argmax(self.live.entered_s[running])])

    def drop(self, group: int) -> tuple[list[int], list[int]]:
        """Empty a group that failed; return those that ran, and those that had not arrived."""
        ran = self.batch.request[group, : self.batch.count[group]].tolist()
        for request in ran:
            left = self.batch.remove(request, group)
            self.live.generated[request] = self.live.trace.output_tokens[request] - left
        later = self.deferred[group] + sorted(self.inbound[group])
        self.deferred[group] = []
        self.inbound[group] = set()
        for table in (self.arriving, self.arriving_held, self.expected):
            table[group] = 0
        lost = set(ran)
        self.fresh = [request for request in self.fresh if request not in lost]
        self.first_step = [request for request in self.first_step if request not in lost]
        return ran, later

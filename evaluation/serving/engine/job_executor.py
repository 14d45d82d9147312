"""The job executor: which task executor computes a prompt, which generates the answer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.prefill import UNLIMITED
from evaluation.serving.engine.request_state import Live
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.engine.telemetry import Board
from schedulers.protocols import Router
from schedulers.views import HOLD, Requests, Workers

Ints = NDArray[np.int64]


class Stage:
    """One of the two choices of a job executor, among the task executors that could serve.

    Parameters
    ----------
    executors
        Among which it chooses.
    router
        How.
    live
        State of every request.
    telemetry_s
        Seconds between the reports that it sees.
    join
        Hands a request to the task executor chosen.
    decode
        Whether requests generate there, or their prompts are computed.
    features
        Returns the signatures of requests, or ``None``.
    """

    def __init__(
        self,
        executors: Sequence[TaskExecutor],
        router: Router,
        live: Live,
        telemetry_s: float,
        join: Callable[[TaskExecutor, int], None],
        *,
        decode: bool,
        features: Callable[[Ints], Any] | None = None,
    ) -> None:
        self.executors, self.router, self.live = executors, router, live
        self.join, self.decode, self.features = join, decode, features
        self.board = Board(self.workers, telemetry_s)
        self.backlog: list[int] = []

    def route(self, request: int, now_s: float) -> None:
        """Choose for one request; it stays in the backlog while the router holds it."""
        if self.backlog or not self._routed(request, now_s):
            self.backlog.append(request)

    def retry(self, now_s: float) -> None:
        """Ask again about those held, oldest first, until one is held again."""
        while self.backlog and self._routed(self.backlog[0], now_s):
            self.backlog.pop(0)

    def _routed(self, request: int, now_s: float) -> bool:
        chosen = int(self.router(self.view(request, now_s), self.board.view(now_s))[0])
        if chosen == HOLD:
            return False
        later = int(self.live.predicted[request]) if self.decode else 0
        self.board.count_in(chosen, int(self.live.need[request]), later)
        self.join(self.executors[chosen], request)
        return True

    def view(self, request: int, now_s: float) -> Requests:
        """Return what the router may know of a request."""
        cached = None
        if not self.decode and self.live.trace.prefix_hashes is not None:
            cached = np.array([[max(one.prefill.cached(request)) for one in self.executors]])
        signature = None if self.features is None else self.features(np.array([request]))
        return self.live.view([request], now_s, cached, signature)

    def workers(self) -> Workers:
        """Return the task executors as the router sees them: sums over their DP groups."""
        views = [
            one.decode_workers() if self.decode else one.prefill_workers() for one in self.executors
        ]
        names = ("running", "waiting", "waiting_tokens", "kv_used", "kv_reserved", "kv_capacity")
        sums = {name: [getattr(view, name).sum() for view in views] for name in names}
        for at, one in enumerate(self.executors):
            early = one.decode.pending if self.decode else one.prefill.pool
            if early:
                need = int(self.live.need[early].sum())
                sums["waiting"][at] += len(early)
                sums["kv_reserved"][at] += need
                if not self.decode:
                    sums["waiting_tokens"][at] += need
                else:
                    sums["kv_reserved"][at] += int(self.live.predicted[early].sum())
        # a prompt queue has no limit; the sum over groups of "no limit" would overflow
        limits = [view.request_limit.sum() if self.decode else UNLIMITED for view in views]
        found: dict[str, Any] = {name: np.array(value) for name, value in sums.items()}
        up = np.array([bool(view.up.any()) for view in views])
        if self.features is not None:
            found["expert_load"] = np.array([one.expert_load.sum(axis=0) for one in self.executors])
        return Workers(request_limit=np.array(limits), up=up, **found)

"""The two choices of the job executor: where prompts are computed, and where requests generate."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.assigner import Assigner
from evaluation.serving.engine.prefill import UNLIMITED
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.task_executor import TaskExecutor
from schedulers.protocols import Router
from schedulers.views import Requests, Workers

Ints = NDArray[np.int64]
#: Columns of DP groups that add up to those of their task executor.
SUMS = ("running", "waiting", "waiting_tokens", "kv_used", "kv_reserved", "kv_capacity")


class RouterStage(ABC):
    """Chooses a task executor for each request, and keeps those that the router holds.

    Parameters
    ----------
    executors
        The task executors to choose among.
    router
        The scheduler that chooses.
    requests
        State of every request.
    telemetry_s
        Seconds between the reports that the router sees.
    """

    _decode: bool

    def __init__(
        self,
        executors: Sequence[TaskExecutor],
        router: Router,
        requests: RequestState,
        telemetry_s: float,
    ) -> None:
        self.executors, self.requests = executors, requests
        self.assigner = Assigner(router, self.workers, telemetry_s, decode=self._decode)
        self.backlog: list[int] = []

    def route(self, request: int, now_s: float) -> TaskExecutor | None:
        """Return the executor of a request; ``None`` if it joins the backlog instead.

        Nothing overtakes the backlog, so a request joins it without a question while it is not
        empty.
        """
        executor = None if self.backlog else self._ask(request, now_s)
        if executor is None:
            self.backlog.append(request)
        return executor

    def retry(self, now_s: float) -> Iterator[tuple[int, TaskExecutor]]:
        """Ask again about the backlog, oldest first, until a request is held again.

        Each request has to join its executor before the next one is asked for, as the router then
        sees it there.
        """
        while self.backlog:
            executor = self._ask(self.backlog[0], now_s)
            if executor is None:
                return
            yield self.backlog.pop(0), executor

    def withdraw(self, requests: Sequence[int]) -> None:
        """Take requests out of the backlog."""
        removed = set(requests)
        self.backlog = [request for request in self.backlog if request not in removed]

    def _ask(self, request: int, now_s: float) -> TaskExecutor | None:
        assigned, _ = self.assigner(self._view(request, now_s), now_s)
        return self.executors[assigned[0][1]] if assigned else None

    @abstractmethod
    def _view(self, request: int, now_s: float) -> Requests:
        """Return what the router may know of a request."""

    @abstractmethod
    def workers(self) -> Workers:
        """Return the task executors as the router sees them."""


class PrefillStage(RouterStage):
    """Chooses where the prompt of a request is computed."""

    _decode = False

    def _view(self, request: int, now_s: float) -> Requests:
        cached = None
        if self.requests.trace.prefix_hashes is not None:
            cached = np.array([[max(one.prefill.cached(request)) for one in self.executors]])
        return self.requests.prefill_view([request], now_s, cached)

    def workers(self) -> Workers:
        """Return the task executors as the router sees them: sums over their DP groups."""
        views = [executor.prefill_workers() for executor in self.executors]
        sums = _sums(views)
        for at, executor in enumerate(self.executors):
            pool = executor.prefill.pool
            if pool:
                need = int(self.requests.need[pool].sum())
                sums["waiting"][at] += len(pool)
                sums["waiting_tokens"][at] += need
                sums["kv_reserved"][at] += need
        # A queue of prompts has no limit. The sum of "unlimited" over groups would overflow.
        limit = np.full(len(views), UNLIMITED, dtype=np.int64)
        return Workers(request_limit=limit, up=_up(views), **sums)


class DecodeStage(RouterStage):
    """Chooses where a request generates once its prompt is computed."""

    _decode = True

    def _view(self, request: int, now_s: float) -> Requests:
        return self.requests.decode_view([request], now_s)

    def workers(self) -> Workers:
        """Return the task executors as the router sees them: sums over their DP groups."""
        requests = self.requests
        views = [executor.decode_workers() for executor in self.executors]
        sums = _sums(views)
        for at, executor in enumerate(self.executors):
            pending = executor.decode.pending
            if pending:
                sums["waiting"][at] += len(pending)
                expected = requests.need[pending].sum() + requests.predicted[pending].sum()
                sums["kv_reserved"][at] += int(expected)
        if requests.affinity is not None:
            loads = [executor.decode.expert_load.sum(axis=0) for executor in self.executors]
            sums["expert_load"] = np.array(loads)
        limit = np.array([view.request_limit.sum() for view in views])
        return Workers(request_limit=limit, up=_up(views), **sums)


def _sums(views: Sequence[Workers]) -> dict[str, Any]:
    return {name: np.array([getattr(view, name).sum() for view in views]) for name in SUMS}


def _up(views: Sequence[Workers]) -> NDArray[np.bool_]:
    return np.array([bool(view.up.any()) for view in views])

"""A router together with the telemetry that it sees of its workers."""

from collections.abc import Callable

import numpy as np

from evaluation.serving.engine.telemetry import WorkerTelemetry
from schedulers.protocols import Router
from schedulers.views import HOLD, Requests, Workers


class Assigner:
    """Asks a router which worker each request goes to, and counts the answers in its telemetry.

    Parameters
    ----------
    router
        The scheduler that assigns.
    workers
        Returns the workers as they are now.
    telemetry_s
        Seconds between the reports that the router sees.
    decode
        Whether requests generate on these workers, so that expected output counts as load too.
    """

    def __init__(
        self, router: Router, workers: Callable[[], Workers], telemetry_s: float, *, decode: bool
    ) -> None:
        self.router, self._decode = router, decode
        self.telemetry = WorkerTelemetry(workers, telemetry_s)

    @property
    def pooled(self) -> bool:
        """Whether requests wait in a pool that the router reads before every step."""
        return bool(getattr(self.router, "pooled", False))

    def __call__(self, requests: Requests, now_s: float) -> tuple[list[tuple[int, int]], list[int]]:
        """Return (request, worker) of those assigned, and the requests held, in their order."""
        answer = np.asarray(self.router(requests, self.telemetry.view(now_s))).tolist()
        assigned, held = [], []
        for at, (request, worker) in enumerate(zip(requests.number.tolist(), answer, strict=True)):
            if worker == HOLD:
                held.append(request)
                continue
            output_tokens = int(requests.output_tokens[at]) if self._decode else 0
            self.telemetry.count_in(worker, int(requests.prompt_tokens[at]), output_tokens)
            assigned.append((request, worker))
        return assigned, held

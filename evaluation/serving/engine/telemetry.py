"""Telemetry of workers as routers see it: as of now, or as of the last report."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from schedulers.views import Workers


class WorkerTelemetry:
    """Reports of workers that may be stale; what a router has assigned since is counted in.

    Parameters
    ----------
    workers
        Returns the workers as they are now.
    telemetry_s
        Seconds between reports; 0: a router always sees the workers as they are now (xDeepServe
        section 4.3 sends KV statistics periodically).
    """

    def __init__(self, workers: Callable[[], Workers], telemetry_s: float) -> None:
        self._workers, self._telemetry_s = workers, telemetry_s
        self._report: Workers | None = None
        self._at_s = -np.inf
        self.routed = 0

    def view(self, now_s: float) -> Workers:
        """Return the workers as a router sees them at this time."""
        if self._telemetry_s == 0:
            return dataclasses.replace(self._workers(), routed=self.routed)
        if self._report is None or now_s - self._at_s >= self._telemetry_s:
            self._report, self._at_s = _copied(self._workers()), now_s
        # Routers know at once whether a worker is up: heartbeats have a delay of their own.
        return dataclasses.replace(self._report, up=self._workers().up, routed=self.routed)

    def expire(self) -> None:
        """Make the next view a new report, as the period of this one is over."""
        self._at_s = -np.inf

    def count_in(self, worker: int, prompt_tokens: int, output_tokens: int) -> None:
        """Count a request that was just assigned."""
        self.routed += 1
        if self._report is not None:
            self._report.waiting[worker] += 1
            self._report.waiting_tokens[worker] += prompt_tokens
            self._report.kv_used[worker] += prompt_tokens
            self._report.kv_reserved[worker] += prompt_tokens + output_tokens


def _copied(workers: Workers) -> Workers:
    arrays: dict[str, Any] = {
        field.name: value.copy()
        for field in dataclasses.fields(workers)
        if isinstance(value := getattr(workers, field.name), np.ndarray)
    }
    return dataclasses.replace(workers, **arrays)

"""Logs of a serving simulation: of requests, of samples of executors, and of steps."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.pricing.work import Cost
from traces import RequestTrace

#: Columns of a request log in seconds of simulated time; nan until known.
TIMES = ("prefill_start_s", "first_token_s", "second_token_s", "finish_s")
#: Where a request ran; -1 until known.
PLACES: dict[str, type] = {
    "prefill_executor": np.int16,
    "prefill_group": np.int32,
    "decode_executor": np.int16,
    "decode_group": np.int32,
}
#: Totals over the life of a request; 0 at first.
COUNTS: dict[str, type] = {
    "cached_tokens": np.int64,
    "recomputed_tokens": np.int64,
    "preemptions": np.int32,
    "transfers_s": np.float64,
    "generated": np.int64,
}
#: Columns of samples: states at the time of the sample, and totals since the sample before.
STATES = ("waiting", "running", "kv_used", "kv_capacity")
TOTALS = (
    "steps",
    "tokens",
    "busy_s",
    "barrier_idle_s",
    "attention_max_s",
    "attention_mean_s",
    "experts_max_s",
    "experts_mean_s",
    "communication_s",
    "dp_imbalance",
)
SAMPLE_COLUMNS = ("time_s", "executor", *STATES, *TOTALS)
WHOLE = frozenset(("executor", *STATES, "steps", "tokens"))


class RequestLog:
    """Record of every request, in columns of [requests].

    Only :class:`evaluation.serving.engine.request_state.RequestState` writes to it during a run.

    Parameters
    ----------
    trace
        The requests; their arrival times and lengths are copied.

    Attributes
    ----------
    arrival_s, prompt_tokens, output_tokens
        As in the trace.
    prefill_start_s, first_token_s, second_token_s, finish_s
        Seconds of simulated time; nan until known.
    prefill_executor, prefill_group, decode_executor, decode_group
        Executor and DP group where it ran last; -1 until known.
    cached_tokens
        Prompt tokens found in a prefix cache.
    recomputed_tokens
        Tokens computed again, after a preemption or a fault.
    preemptions
        Number of times that it lost its key-value cache to other requests.
    transfers_s
        Seconds that its key-value cache was in transfer.
    generated
        Output tokens so far; of running sequences only once the run has ended.
    """

    prefill_start_s: NDArray[np.float64]
    first_token_s: NDArray[np.float64]
    second_token_s: NDArray[np.float64]
    finish_s: NDArray[np.float64]
    prefill_executor: NDArray[np.int16]
    prefill_group: NDArray[np.int32]
    decode_executor: NDArray[np.int16]
    decode_group: NDArray[np.int32]
    cached_tokens: NDArray[np.int64]
    recomputed_tokens: NDArray[np.int64]
    preemptions: NDArray[np.int32]
    transfers_s: NDArray[np.float64]
    generated: NDArray[np.int64]

    def __init__(self, trace: RequestTrace) -> None:
        self.arrival_s = np.array(trace.arrival_s, dtype=np.float64)
        self.prompt_tokens = np.array(trace.prompt_tokens, dtype=np.int64)
        self.output_tokens = np.array(trace.output_tokens, dtype=np.int64)
        requests = len(self.arrival_s)
        for name in TIMES:
            setattr(self, name, np.full(requests, np.nan))
        for name, dtype in PLACES.items():
            setattr(self, name, np.full(requests, -1, dtype))
        for name, dtype in COUNTS.items():
            setattr(self, name, np.zeros(requests, dtype))

    def __len__(self) -> int:
        """Return the number of requests, including those that have not arrived yet."""
        return len(self.arrival_s)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns by name, in the order of files; views, not copies."""
        names = ("arrival_s", "prompt_tokens", "output_tokens", *TIMES, *PLACES, *COUNTS)
        return {name: getattr(self, name) for name in names}

    @property
    def finished(self) -> NDArray[np.bool_]:
        """[requests] whether it has its last token."""
        return ~np.isnan(self.finish_s)


class SampleLog:
    """Time series of task executors.

    Parameters
    ----------
    executors
        Names of the task executors, in the order of their index.
    """

    def __init__(self, executors: Sequence[str]) -> None:
        self.executors = tuple(executors)
        self._rows = np.empty((256, len(SAMPLE_COLUMNS)))
        self._length = 0

    def add(
        self,
        time_s: float,
        executor: int,
        waiting: int,
        running: int,
        kv_used: int,
        kv_capacity: int,
        steps: int = 0,
        tokens: int = 0,
        busy_s: float = 0.0,
        barrier_idle_s: float = 0.0,
        attention_max_s: float = 0.0,
        attention_mean_s: float = 0.0,
        experts_max_s: float = 0.0,
        experts_mean_s: float = 0.0,
        communication_s: float = 0.0,
        dp_imbalance: float = 0.0,
    ) -> None:
        """Append one sample of one task executor.

        Parameters
        ----------
        time_s
            Simulated time; it never falls between samples of one executor.
        executor
            Index of the executor.
        waiting, running, kv_used, kv_capacity
            Requests, and tokens of key-value cache, at this time.
        steps, tokens
            Steps since the last sample of the executor, and output tokens of these steps. All
            values that follow are of the same steps.
        busy_s
            Seconds in steps.
        barrier_idle_s
            Seconds of ``busy_s`` in which the mean DP group or rank waited for the slowest.
        attention_max_s, attention_mean_s, experts_max_s, experts_mean_s, communication_s
            Sums of :class:`evaluation.serving.pricing.work.Cost` over the steps.
        dp_imbalance
            Sum over the steps of the ratio of the heaviest DP group's load to the mean load.
        """
        if self._length == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._length] = (
            time_s,
            executor,
            waiting,
            running,
            kv_used,
            kv_capacity,
            steps,
            tokens,
            busy_s,
            barrier_idle_s,
            attention_max_s,
            attention_mean_s,
            experts_max_s,
            experts_mean_s,
            communication_s,
            dp_imbalance,
        )
        self._length += 1

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._length

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a copy of one column [samples]: counts as int64, all others as float64."""
        column = self._rows[: self._length, SAMPLE_COLUMNS.index(name)]
        return column.astype(np.int64 if name in WHOLE else np.float64)

    def of(self, executor: int) -> dict[str, NDArray[Any]]:
        """Return all columns of one task executor, by name."""
        rows = self["executor"] == executor
        return {name: self[name][rows] for name in SAMPLE_COLUMNS}


class LoggedStep(NamedTuple):
    """One step of the task executor with index ``executor``."""

    executor: int
    start_s: float
    cost: Cost
    prefill_tokens: int
    sequences: int


class LoggedTransfer(NamedTuple):
    """One transfer of a request's key-value cache between two task executors."""

    request: int
    source: int
    target: int
    start_s: float
    end_s: float


class StepLog:
    """Steps and transfers of a time range, for the timeline.

    Parameters
    ----------
    start_s, end_s
        The time range in seconds. Only steps and transfers that overlap it are kept.

    Raises
    ------
    ValueError
        Unless 0 <= start_s < end_s.
    """

    def __init__(self, start_s: float, end_s: float) -> None:
        if not 0 <= start_s < end_s:
            raise ValueError(
                f"start_s = {start_s:g}, end_s = {end_s:g} break 0 <= start_s < end_s; give a range"
            )
        self.start_s = start_s
        self.end_s = end_s
        self.steps: list[LoggedStep] = []
        self.transfers: list[LoggedTransfer] = []

    def add(
        self, executor: int, start_s: float, cost: Cost, prefill_tokens: int, sequences: int
    ) -> None:
        """Keep a step of one task executor, if it overlaps the range."""
        if start_s < self.end_s and start_s + cost.total > self.start_s:
            self.steps.append(LoggedStep(executor, start_s, cost, prefill_tokens, sequences))

    def add_transfer(
        self, request: int, source: int, target: int, start_s: float, end_s: float
    ) -> None:
        """Keep a transfer of key-value cache, if it overlaps the range."""
        if start_s < self.end_s and end_s > self.start_s:
            self.transfers.append(LoggedTransfer(request, source, target, start_s, end_s))

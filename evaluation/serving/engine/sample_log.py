"""Log of samples: the state of each task executor over time, and the totals between samples."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.engine.step_totals import StepTotals


class ExecutorState(NamedTuple):
    """State of a task executor at the time of a sample.

    Parameters
    ----------
    waiting, running
        Requests.
    kv_used, kv_capacity
        Tokens of key-value cache.
    """

    waiting: int
    running: int
    kv_used: int
    kv_capacity: int


TOTALS = tuple(field.name for field in fields(StepTotals))
SAMPLE_COLUMNS = ("time_s", "executor", *ExecutorState._fields, *TOTALS)
WHOLE = frozenset(("executor", *ExecutorState._fields, "steps", "tokens"))


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
        self, time_s: float, executor: int, state: ExecutorState, totals: StepTotals | None = None
    ) -> None:
        """Append one sample of one task executor.

        Parameters
        ----------
        time_s
            Simulated time; it never falls between samples of one executor.
        executor
            Index of the executor.
        state
            Its state at this time.
        totals
            Sums over its steps since its last sample; ``None``: it made no step.
        """
        if self._length == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        totals = totals or StepTotals()
        sums = (getattr(totals, name) for name in TOTALS)
        self._rows[self._length] = (time_s, executor, *state, *sums)
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

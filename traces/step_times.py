"""Times of steps: their checks, and one time axis through several traces."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import frozen


def checked_times(values: ArrayLike, steps: int) -> NDArray[np.float64]:
    """Return the seconds [steps] at which steps start, as a read-only array.

    Raises
    ------
    ValueError
        If there is not one number for each step, or times fall.
    """
    try:
        times = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("time_s holds other things than numbers; give seconds [steps]") from None
    if times.shape != (steps,):
        raise ValueError(
            f"time_s has shape {times.shape} for {steps} steps; give the second at which each "
            f"step starts, [{steps}]"
        )
    if not np.isfinite(times).all():
        step = int(np.argmin(np.isfinite(times)))
        raise ValueError(f"time_s at step {step} is {times[step]}; give seconds")
    falls = np.diff(times) < 0
    if falls.any():
        step = int(np.argmax(falls)) + 1
        raise ValueError(
            f"time_s at step {step} is {times[step]} < {times[step - 1]}, that of the step "
            "before; order the steps by time"
        )
    return frozen(times, np.float64)


class JoinedTimes:
    """The time axis of traces that follow each other, block by block.

    A trace whose clock goes on from the one before keeps its times. One whose clock begins anew
    is moved: its first step starts one mean step after the last one before it.
    """

    def __init__(self) -> None:
        self._shift = self._first = self._last = 0.0
        self._steps = 0  # of the trace that runs, so far
        self._starts = False

    def next_trace(self) -> None:
        """Say that the next block is the first one of another trace."""
        self._starts = self._steps > 0

    def __call__(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the times of the next block on the common axis."""
        if self._starts:
            mean_step = (self._last - self._first) / max(self._steps - 1, 1)
            goes_on = times[0] >= self._last
            self._shift = 0.0 if goes_on else float(self._last + mean_step - times[0])
        moved = times + self._shift
        if self._starts:
            moved = np.maximum(moved, self._last)  # adding the shift rounds
        if self._starts or not self._steps:
            self._first, self._steps, self._starts = float(moved[0]), 0, False
        self._last = float(moved[-1])
        self._steps += len(moved)
        return moved

"""What no solver changes about a replay: worked out once for all that run on one trace."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.step.executor import StepExecutor

T = TypeVar("T")


@dataclass(frozen=True)
class Yardstick:
    """Seconds under perfect balance, and bounds on balancedness, of one trace on one deployment.

    Scored steps and all windows are known by their number, so that a yardstick goes with one trace,
    executor and test. Whoever passes it to several replays saves pricing the same again.

    Parameters
    ----------
    ideal
        Step to its seconds under perfect balance.
    bounds
        Window to its bound [layers].
    """

    ideal: dict[int, float] = field(default_factory=dict)
    bounds: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def ideal_s(
        self, step: int, executor: StepExecutor, load: NDArray[Any], ranks: int, tokens: int
    ) -> float:
        """Return the seconds of step ``step``; see :meth:`StepExecutor.ideal`."""
        return _once(self.ideal, step, lambda: executor.ideal(load, ranks, tokens).total)

    def bound(self, window: int, load: NDArray[Any], ranks: int, slots: int) -> NDArray[np.float64]:
        """Return the bound of window ``window``; see :func:`lb.bounds.balancedness_bound`."""

        def found() -> NDArray[np.float64]:
            return lb.bounds.balancedness_bound(load, ranks, slots)

        return _once(self.bounds, window, found)


def _once(known: dict[int, T], number: int, work_out: Callable[[], T]) -> T:
    if number not in known:
        known[number] = work_out()
    return known[number]

"""Ideal step times and balancedness bounds, cached across solvers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import lb

T = TypeVar("T")


@dataclass(frozen=True)
class IdealReference:
    """Seconds under perfect balance, and bounds on balancedness, of one trace on one deployment.

    These numbers do not depend on the solver. Windows are identified by their number, so that a
    reference belongs to one trace and executor. Pass it to several replays to compute each number
    once.

    Parameters
    ----------
    ideal
        Seconds under perfect balance of a window's steps, [steps], by number of the window.
    bounds
        Bound [layers], by number of the window.
    """

    ideal: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    bounds: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def ideal_s(
        self, window: int, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the seconds of the steps of window ``window``, from ``compute`` the first time."""
        return _cached(self.ideal, window, compute)

    def bound(self, window: int, load: NDArray[Any], ranks: int, slots: int) -> NDArray[np.float64]:
        """Return the bound of window ``window``; see :func:`lb.bounds.balancedness_bound`."""

        def compute() -> NDArray[np.float64]:
            return lb.bounds.balancedness_bound(load, ranks, slots)

        return _cached(self.bounds, window, compute)


def _cached(cache: dict[int, T], number: int, compute: Callable[[], T]) -> T:
    if number not in cache:
        cache[number] = compute()
    return cache[number]

"""Ideal step times, balancedness bounds and prices of tokens, cached across solvers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
        Bound [layers] of the load that is judged, by number of the window.
    observed_bounds
        The same of the load that solvers see.
    token_prices
        Seconds of one more token on every rank, at the load that solvers see, by number of the
        window; see :func:`evaluation.replay.prices.seconds_per_token`.
    """

    ideal: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    bounds: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    observed_bounds: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    token_prices: dict[int, float] = field(default_factory=dict)

    def ideal_s(
        self, window: int, compute: Callable[[], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """Return the seconds of the steps of window ``window``, from ``compute`` the first time."""
        return _cached(self.ideal, window, compute)

    def bound(self, window: int, load: NDArray[Any], ranks: int, slots: int) -> NDArray[np.float64]:
        """Return the bound of window ``window``; see :func:`lb.bounds.balancedness_bound`."""
        return _cached(self.bounds, window, lambda: _bound(load, ranks, slots))

    def observed_bound(
        self, window: int, load: NDArray[Any], ranks: int, slots: int
    ) -> NDArray[np.float64]:
        """Return the bound of what solvers see of window ``window``."""
        return _cached(self.observed_bounds, window, lambda: _bound(load, ranks, slots))

    def token_price(self, window: int, compute: Callable[[], float]) -> float:
        """Return the price at window ``window``, from ``compute`` the first time."""
        return _cached(self.token_prices, window, compute)

    def with_other_observed(self) -> "IdealReference":
        """Return a reference for the same windows, of which solvers see something else."""
        return replace(self, observed_bounds={}, token_prices={})


def _bound(load: NDArray[Any], ranks: int, slots: int) -> NDArray[np.float64]:
    return lb.bounds.balancedness_bound(load, ranks, slots)


def _cached(cache: dict[int, T], number: int, compute: Callable[[], T]) -> T:
    if number not in cache:
        cache[number] = compute()
    return cache[number]

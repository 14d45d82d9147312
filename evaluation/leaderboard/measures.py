"""What a suite of each kind is ranked by: a ratio of sums over the blocks of a record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """A score that is a sum over blocks (windows, or layers) over another sum.

    Parameters
    ----------
    name
        Key of the score in a record.
    parts
        From a record to numerator and denominator, [blocks] each.
    follow
        Whether blocks follow each other in time, so that neighbours are alike.
    """

    name: str
    parts: Callable[[dict[str, Any]], tuple[Array, Array]]
    follow: bool = True


def _efficiency(record: dict[str, Any]) -> tuple[Array, Array]:
    windows = record["windows"]
    taken = np.add(windows["step_s"], windows["migration_s"])
    return np.asarray(windows["ideal_s"], dtype=np.float64), taken


def _competition(record: dict[str, Any]) -> tuple[Array, Array]:
    windows = record["windows"]
    taken = np.asarray(windows["taken_s"], dtype=np.float64)
    return 100 * np.asarray(windows["baseline_s"], dtype=np.float64), taken


def _mean_of(place: str, key: str) -> Callable[[dict[str, Any]], tuple[Array, Array]]:
    def parts(record: dict[str, Any]) -> tuple[Array, Array]:
        values = np.asarray(record[place][key], dtype=np.float64)
        return values, np.ones_like(values)

    return parts


#: Kind of a suite to what its rows are ranked by, more being better.
MEASURES = {
    "solver": Measure("efficiency", _efficiency),
    "fit": Measure("balancedness_fitted", _mean_of("layers", "balancedness_fitted"), follow=False),
    "forecast": Measure("balancedness_even", _mean_of("windows", "balancedness_even")),
    "competition": Measure("score", _competition),
}

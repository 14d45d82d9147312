"""Long series and distributions in a number of points that a browser draws at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def thinned(time_s: NDArray[Any], values: NDArray[Any], points: int) -> Pair:
    """Return a series in at most so many points, its peaks and troughs among them.

    The series is cut into runs of equal length; of each, the lowest and the highest point stay.

    Parameters
    ----------
    time_s, values
        [samples] the series, times rising.
    points
        At least 2.
    """
    if len(values) <= points:
        return np.asarray(time_s, float), np.asarray(values, float)
    runs = points // 2
    run = np.arange(len(values)) * runs // len(values)
    order = np.lexsort((values, run))
    begins = np.searchsorted(run, np.arange(runs))
    ends = np.append(begins[1:], len(values)) - 1
    kept = np.unique(np.concatenate([order[begins], order[ends]]))
    return np.asarray(time_s, float)[kept], np.asarray(values, float)[kept]


def shares(values: NDArray[Any], points: int) -> Pair:
    """Return the empirical distribution of known values in at most so many points.

    Parameters
    ----------
    values
        [any] nan for what is not known.
    points
        At least 2; the least and the largest value are among them.

    Returns
    -------
    tuple
        Values, rising, and the share of all known values that is at most each.
    """
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    rows = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))
    return known[rows], (rows + 1) / max(count, 1)

"""Long series and distributions with few enough points for a browser."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def downsampled(time_s: NDArray[Any], values: NDArray[Any], points: int) -> Pair:
    """Return a series with at most ``points`` points that keeps its peaks and troughs.

    The series is cut into runs of equal length. The lowest and highest point of each run stay.

    Parameters
    ----------
    time_s, values
        [samples] the series, times rising.
    points
        Most points to keep, at least 2.
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


def cumulative_shares(values: NDArray[Any], points: int) -> Pair:
    """Return the empirical distribution function with at most ``points`` points.

    Parameters
    ----------
    values
        [any] values; nan is left out.
    points
        Most points to keep, at least 2. The least and the largest value stay.

    Returns
    -------
    tuple
        Values, rising, and the share of all known values that are at most each.
    """
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    rows = np.unique(np.linspace(0, count - 1, min(points, count)).round().astype(int))
    return known[rows], (rows + 1) / max(count, 1)

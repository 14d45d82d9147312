"""How many requests a service of a given rate can finish by their deadlines, at most.

Work that is released and due within a window must be done in it: the demand bound of real-time
scheduling (Baruah, Rosier and Howell 1990, doi:10.1007/BF01995675). What exceeds the window's
capacity has to be given up, the largest works first for the most requests, and those that are
worth least for their work first for the most value. The true optimum over all windows is no larger.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Number of quantiles of releases and deadlines at which windows begin and end.
QUANTILES = 9


def most_requests(work: Array, release_s: Array, deadline_s: Array, rate: float) -> int:
    """Return how many requests can be finished in time at most.

    Parameters
    ----------
    work
        [requests] of each, at least 0.
    release_s, deadline_s
        [requests] when it may begin and must have ended.
    rate
        Work a second.
    """
    most = len(work)
    for inside, seconds in _windows(release_s, deadline_s):
        each = np.sort(work[inside])
        fits = int(np.searchsorted(each.cumsum(), rate * seconds, side="right"))
        most = min(most, len(work) - len(each) + fits)
    return most


def most_value(
    work: Array, value: Array, release_s: Array, deadline_s: Array, rate: float
) -> float:
    """Return the most value of requests finished in time; ``value`` [requests], as above.

    The last request that fits counts in part, so that the bound holds.
    """
    most = float(value.sum())
    for inside, seconds in _windows(release_s, deadline_s):
        each, worth = work[inside], value[inside]
        order = np.argsort(each / np.maximum(worth, 1e-300), kind="stable")
        done, gained = each[order].cumsum(), worth[order].cumsum()
        if len(done) == 0 or done[-1] <= rate * seconds:
            continue
        at = int(np.searchsorted(done, rate * seconds, side="right"))
        before = (done[at - 1], gained[at - 1]) if at else (0.0, 0.0)
        part = (rate * seconds - before[0]) / each[order[at]]
        with_part = before[1] + part * worth[order[at]]
        most = min(most, float(value.sum() - gained[-1] + with_part))
    return most


def _windows(release_s: Array, deadline_s: Array) -> Iterator[tuple[NDArray[np.bool_], float]]:
    """Yield [requests] which lie within a window, and its seconds."""
    points = np.linspace(0, 1, QUANTILES)
    for start_s in np.quantile(release_s, points, method="lower"):
        for end_s in np.quantile(deadline_s, points, method="higher"):
            if end_s > start_s:
                yield (release_s >= start_s) & (deadline_s <= end_s), float(end_s - start_s)

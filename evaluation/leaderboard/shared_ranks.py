"""Ranks that rows share where their confidence intervals overlap."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def shared_ranks(low: ArrayLike, high: ArrayLike, estimate: ArrayLike) -> NDArray[np.int64]:
    """Return ranks from 1, where candidates that the best of them may equal share its rank.

    The highest estimate leads the first rank. Going down, those whose interval meets the leader's
    share its rank; the first that does not leads the next, whose number counts all before it: 1, 1,
    3. Comparing with leaders alone keeps a chain of neighbours from making one rank of a whole
    table, and no rank is better than that of a higher estimate. Equal estimates go by upper ends.

    Parameters
    ----------
    low, high
        Ends of the intervals, [candidates]; infinite ones are allowed.
    estimate
        What is ranked, more is better, [candidates].

    Returns
    -------
    ndarray of int64
        [candidates], in the order given.

    Raises
    ------
    ValueError
        If shapes differ, anything is not a number, or an interval ends before it begins.
    """
    lows, highs, middle = (np.asarray(each, dtype=np.float64) for each in (low, high, estimate))
    if middle.ndim != 1 or not lows.shape == highs.shape == middle.shape:
        raise ValueError(
            f"low {lows.shape}, high {highs.shape} and estimate {middle.shape} need one axis and "
            "one length"
        )
    if np.isnan(middle).any() or not (lows <= highs).all():
        raise ValueError("each interval needs low <= high and a number between; rank no failures")
    order = np.lexsort((-lows, -highs, -middle))
    ranks = np.empty(len(order), dtype=np.int64)
    leader = 0
    for place, row in enumerate(order):
        if highs[row] < lows[order[leader]]:
            leader = place
        ranks[row] = leader + 1
    return ranks

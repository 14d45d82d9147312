"""Admission when more requests wait than there are places: BalanceRoute's score."""

import heapq
from bisect import bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schedulers.views import Floats, Ints


def f_score(size: ArrayLike, margin: ArrayLike, workers: int) -> Floats:
    """Return how much an admission lowers idleness at the barrier of a step.

    A step lasts as long as that of the highest load M, so worker g idles for M - load[g] in it. A
    request that fits into this margin takes its ``size`` from the idleness of all; every token
    above it raises M, for which ``workers - 1`` others wait. The score is the fall of the sum of
    all margins, size - workers * max(size - margin, 0): slope 1, then slope 1 - workers. That it
    rises gently and falls steeply is BalanceRoute's F-score (arXiv:2605.06113); that the slopes
    are these is our reading of it.

    Parameters
    ----------
    size
        Tokens of key-value cache that the request brings.
    margin
        Tokens by which the worker is below the highest load.
    workers
        How many meet at the barrier.
    """
    size = np.asarray(size, dtype=np.float64)
    return size - workers * np.maximum(size - np.asarray(margin, dtype=np.float64), 0.0)


def admission_order(
    size: Floats, load: Floats, places: Ints, overdue: NDArray[np.bool_]
) -> list[int]:
    """Return all requests in the order in which they shall get workers.

    If there are places for all, the largest comes first, the order in which greedy packing ends
    evenest (Graham, SIAM J. Appl. Math. 17(2), 1969). Else as many as there are places are chosen
    first, each for the worker of the widest margin, which suits every request best: it takes the
    request of the highest :func:`f_score` there, so either the largest that fits into the margin
    or the smallest that does not. Those chosen come first, the others behind them by age.

    This decomposition, the order and the precedence of overdue requests are ours; the paper says
    only that there are two stages.

    Parameters
    ----------
    size
        [requests] tokens that each brings, oldest first.
    load
        [workers] tokens held, of those that are up.
    places
        [workers] how many more requests each may get, at least 0.
    overdue
        [requests] whether it is chosen before all scores.
    """
    chosen = list(range(len(size)))
    if len(size) > int(places.sum()):
        chosen = _choose(size, load, places, overdue)
    chosen.sort(key=lambda index: (-size[index], index))
    return chosen + sorted(set(range(len(size))) - set(chosen))


def _choose(size: Floats, load: Floats, places: Ints, overdue: NDArray[np.bool_]) -> list[int]:
    # Reversed, so that pop takes the oldest.
    first = np.flatnonzero(overdue).tolist()[::-1]
    others = sorted((float(size[index]), index) for index in np.flatnonzero(~overdue).tolist())
    # A heap: the worker of the lowest load is the one of the widest margin.
    emptiest = [(float(load[w]), w) for w in np.flatnonzero(places > 0).tolist()]
    heapq.heapify(emptiest)
    left = places.tolist()
    highest = float(load.max())
    chosen: list[int] = []
    while emptiest:
        held, worker = heapq.heappop(emptiest)
        if first:
            index = first.pop()
            tokens = float(size[index])
        else:
            tokens, index = others.pop(_best(others, highest - held, len(load)))
        chosen.append(index)
        # An admission may raise the barrier for all that follow.
        highest = max(highest, held + tokens)
        left[worker] -= 1
        if left[worker]:
            heapq.heappush(emptiest, (held + tokens, worker))
    return chosen


def _best(by_size: list[tuple[float, int]], margin: float, workers: int) -> int:
    """Return where in a sorted list the highest score is: on one side of the margin."""
    # Below the margin the score rises with the size and above it falls: the best is next to it.
    above = bisect_right(by_size, margin, key=lambda entry: entry[0])
    if above == 0:
        return 0
    if above == len(by_size):
        return above - 1
    below, over = f_score([by_size[above - 1][0], by_size[above][0]], margin, workers)
    return above if over > below else above - 1

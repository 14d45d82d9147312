"""Possible numbers of copies of the experts."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.exact import copy_limits
from lb.solvers.ilp.layer import Layer


def count_copies(layer: Layer, peak: float) -> float:
    """Return in how many ways a placement with at most this peak can share out the slots."""
    least, most = copy_limits(layer, peak)
    free = layer.spare - int((least - 1).sum())
    ways = np.zeros(free + 1)  # ways[n]: n of the free slots are given away
    ways[0] = 1.0
    # The product of polynomials with coefficients 1: one for each expert, its extra copies the
    # power.
    for extra in most - least:
        ways = np.convolve(ways, np.ones(extra + 1))[: free + 1]
    return float(ways[free])


def nearby_copies(
    layer: Layer, copies: NDArray[np.int64], peak: float
) -> Iterator[NDArray[np.int64]]:
    """Yield [experts] every such way, ``copies`` first and then those fewer exchanges away.

    In an exchange one copy of an expert becomes one of another. Of equally many exchanges those
    come first that split the largest replicas.

    Parameters
    ----------
    layer
        What is placed.
    copies
        [experts] where to start.
    peak
        As in :func:`count_copies`.
    """
    least, most = copy_limits(layer, peak)
    queue, seen = deque([copies]), {copies.tobytes()}
    yield copies
    while queue:
        start = queue.popleft()
        weight = layer.cost[np.arange(layer.experts), start]
        falling = np.argsort(-weight, kind="stable")
        for gains in falling[start[falling] < most[falling]]:
            for loses in falling[::-1][(start > least)[falling[::-1]]]:
                after = start.copy()
                after[gains] += 1
                after[loses] -= 1
                if gains != loses and after.tobytes() not in seen:
                    seen.add(after.tobytes())
                    queue.append(after)
                    yield after

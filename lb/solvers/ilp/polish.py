"""Swaps that relieve the most loaded rank, before a model is built."""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel


def polished(
    held: NDArray[np.bool_], weight: NDArray[np.float64], speed: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return ``held`` [experts, ranks] after the best swaps, copies unchanged.

    One expert of the most loaded rank changes place with one of another rank, whichever leaves the
    hotter of the two coolest, until no swap cools the most loaded rank.

    Parameters
    ----------
    held
        [experts, ranks] who holds what.
    weight
        [experts] work of one replica.
    speed
        [ranks] relative speed.
    """
    result = held.copy()
    _swap(result, weight, speed)
    return result


@kernel
def _swap(held: NDArray[np.bool_], weight: NDArray[np.float64], speed: NDArray[np.float64]) -> None:
    experts, ranks = held.shape
    work = np.zeros(ranks)
    for rank in range(ranks):
        for expert in range(experts):
            if held[expert, rank]:
                work[rank] += weight[expert]
    while True:
        fullest = np.argmax(work / speed)
        best = work[fullest] / speed[fullest] * (1 - 1e-12)
        give, take, other = -1, -1, -1
        for rank in range(ranks):
            if rank == fullest:
                continue
            for mine in range(experts):
                if not held[mine, fullest] or held[mine, rank]:
                    continue
                for theirs in range(experts):
                    if not held[theirs, rank] or held[theirs, fullest]:
                        continue
                    change = weight[mine] - weight[theirs]
                    ours = (work[fullest] - change) / speed[fullest]
                    peak = max(ours, (work[rank] + change) / speed[rank])
                    if peak < best:
                        best = peak
                        give, take, other = mine, theirs, rank
        if give < 0:
            return
        held[give, fullest], held[take, fullest] = False, True
        held[give, other], held[take, other] = True, False
        work[fullest] += weight[take] - weight[give]
        work[other] += weight[give] - weight[take]

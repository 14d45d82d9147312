"""All sets of experts that fill a rank up to a given level."""

import numpy as np
from numpy.typing import NDArray

from lb.copy_into import copy_into
from lb.kernel import kernel


def patterns(
    weight: NDArray[np.float64], width: int, low: float, high: float, most: int, steps: int
) -> NDArray[np.int64] | None:
    """Return [patterns, width] all sets of ``width`` experts that weigh ``low`` to ``high``.

    Parameters
    ----------
    weight
        [experts] falling.
    width
        Experts in a set, at least 1.
    low, high
        Least and most total weight.
    most
        Largest number of sets.
    steps
        Largest number of partial sets to try.

    Returns
    -------
    ndarray or None
        Rising positions in ``weight``; ``None`` if there are more than ``most`` sets, or they
        cannot be listed in so many steps.
    """
    table = np.empty((most, width), dtype=np.int64)
    count = _list(weight, width, low, high, steps, table)
    return None if count < 0 else table[:count]


@kernel
def _list(
    weight: NDArray[np.float64],
    width: int,
    low: float,
    high: float,
    steps: int,
    table: NDArray[np.int64],
) -> int:
    """Fill ``table`` depth first; return the number of sets, or -1."""
    experts = weight.size
    prefix = np.zeros(experts + 1)
    for expert in range(experts):
        prefix[expert + 1] = prefix[expert] + weight[expert]
    chosen = np.full(width, -1)
    total = np.zeros(width + 1)  # total[d]: weight of the first d chosen
    depth = 0
    count = 0
    while depth >= 0:
        start = chosen[depth] + 1 if chosen[depth] >= 0 else (chosen[depth - 1] + 1 if depth else 0)
        rest = width - depth - 1  # to be chosen after this one
        expert = start
        found = False
        while expert < experts - rest:
            steps -= 1
            if steps < 0:
                return -1
            # Weights fall: the experts right after this one are the heaviest completion, the last
            # ones the lightest.
            heaviest = total[depth] + prefix[expert + 1 + rest] - prefix[expert]
            if heaviest < low:
                break  # later ones weigh no more
            lightest = total[depth] + weight[expert] + prefix[experts] - prefix[experts - rest]
            if lightest <= high:
                found = True
                break
            expert += 1
        if not found:
            chosen[depth] = -1
            depth -= 1
            continue
        chosen[depth] = expert
        total[depth + 1] = total[depth] + weight[expert]
        if rest:
            depth += 1
            chosen[depth] = -1
        elif low <= total[width] <= high:
            if count == table.shape[0]:
                return -1
            copy_into(table[count], chosen)
            count += 1
    return count

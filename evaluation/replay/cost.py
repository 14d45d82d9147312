"""What an answer costs, told so that machines compare: over a routine timed beside it."""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Named in records. Comparing and branching, as solvers do: a stable sort of doubles has no vector
#: instructions in numpy (an unstable one has on some machines, and is several times faster there).
REFERENCE = "numpy.argsort(load, axis=1, kind='stable')"
REPEATS = 3


def reference_s(load: NDArray[Any]) -> float:
    """Return the seconds that the reference routine takes now, the least of a few.

    Parameters
    ----------
    load
        [layers, experts] what the solver plans for.
    """
    doubles = np.asarray(load, dtype=np.float64)
    least = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        np.argsort(doubles, axis=1, kind="stable")
        least = min(least, time.perf_counter() - started)
    return least


def cost(solve_s: Sequence[float], references_s: Sequence[float]) -> dict[str, Any]:
    """Return the record's cost: median of solve times over reference times, pair by pair.

    Each pair was measured one right after the other, so that a machine that is busy for a while is
    busy for both; the first call, which may compile, decides nothing among three and more.
    """
    ratios = [solve / beside for solve, beside in zip(solve_s, references_s, strict=True)]
    return {"ratio": statistics.median(ratios), "reference": REFERENCE}

"""Solve time as a ratio to a reference sort, so that machines compare."""

import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Name of the reference routine in records. Like a solver, a stable sort compares and branches: for
#: doubles numpy has no vector instructions for it. An unstable sort has them on some machines, and
#: is several times faster there.
REFERENCE = "numpy.argsort(load, axis=1, kind='stable')"
REPEATS = 3


def reference_s(load: NDArray[Any]) -> float:
    """Return the seconds that the reference sort takes now, the minimum of three runs.

    Parameters
    ----------
    load
        [layers, experts] load that the solver plans for.
    """
    doubles = np.asarray(load, dtype=np.float64)
    fastest_s = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        np.argsort(doubles, axis=1, kind="stable")
        fastest_s = min(fastest_s, time.perf_counter() - started)
    return fastest_s


def cost(solve_s: Sequence[float], references_s: Sequence[float]) -> dict[str, Any]:
    """Return the cost of a record: the median ratio of solve time to reference time.

    The two times of a pair are measured right after one another, so that a busy machine slows both.
    The median ignores the first call, which may compile, if there are three calls or more.
    """
    ratios = [solve / reference for solve, reference in zip(solve_s, references_s, strict=True)]
    return {"ratio": statistics.median(ratios), "reference": REFERENCE}

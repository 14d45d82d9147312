"""Sort experts by weight inside a kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel


@kernel
def rank_by_weight(weight: NDArray[Any]) -> NDArray[np.int64]:
    """Return ids by falling weight; of equal ones the lower id comes first.

    ``np.argsort(-weight, kind="stable")`` says the same, but numba takes seconds to compile it.
    A merge sort from the bottom up: sorted runs of 1, 2, 4, … ids are merged pair by pair.
    """
    ids = np.arange(weight.size)
    merged = np.empty_like(ids)
    run = 1
    while run < ids.size:
        for start in range(0, ids.size, 2 * run):
            middle = min(start + run, ids.size)
            stop = min(middle + run, ids.size)
            left, right = start, middle
            for place in range(start, stop):
                # of equal weights the left one, whose id is lower
                if left < middle and (right == stop or weight[ids[left]] >= weight[ids[right]]):
                    merged[place] = ids[left]
                    left += 1
                else:
                    merged[place] = ids[right]
                    right += 1
        ids, merged = merged, ids
        run *= 2
    return ids

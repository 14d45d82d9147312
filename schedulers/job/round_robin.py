"""Job router: workers in turn."""

import itertools

import numpy as np
from numpy.typing import NDArray

from schedulers.in_order import in_order
from schedulers.views import Assigning, Ints, Requests, Workers


def round_robin(requests: Requests, workers: Workers) -> Ints:
    """Give each request to the next open worker in turn, whatever its load.

    The n-th request routed (``workers.routed`` and those of this call) goes to the n-th open
    worker, modulo how many are open: the one behind a closed worker gets no double share.

    Returns
    -------
    ndarray
        [requests] worker, or ``HOLD`` where none is open.
    """
    turn = itertools.count(workers.routed)

    def rule(_: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
        candidates = np.flatnonzero(open_ones)
        return int(candidates[next(turn) % len(candidates)])

    return in_order(requests, workers, rule)

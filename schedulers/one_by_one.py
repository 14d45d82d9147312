"""Assign requests one after another, each to the open worker with the lowest score."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schedulers.in_order import in_order
from schedulers.views import Assigning, Ints, Requests, Workers

#: From totals, index of a request and the workers open for it [workers] to scores [workers].
Score = Callable[[Assigning, int, NDArray[np.bool_]], NDArray[Any]]


def one_by_one(requests: Requests, workers: Workers, score: Score, *, hits: bool = False) -> Ints:
    """Give every request, oldest first, to the open worker with the least score.

    A request that no worker is open for is held, and does not block those behind it. Among equal
    scores the first worker is taken.

    Parameters
    ----------
    requests, workers
        What the router was asked.
    score
        Called for each request that some worker is open for; scores of others are not looked at.
    hits
        Whether tokens in the prefix cache of its worker do not count as waiting.

    Returns
    -------
    ndarray
        [requests] worker, or ``HOLD``.
    """

    def rule(index: int, free: NDArray[np.bool_], assigning: Assigning) -> int:
        worker = int(np.where(free, score(assigning, index, free), np.inf).argmin())
        # in_order adds the whole prompt afterwards: take the cached part off.
        if hits and requests.cached_tokens is not None:
            assigning.waiting_tokens[worker] -= requests.cached_tokens[index, worker]
        return worker

    return in_order(requests, workers, rule)

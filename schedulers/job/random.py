"""Job router: a random open worker."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from schedulers.in_order import in_order
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class Random:
    """Give each request to an open worker drawn at random, all equally likely.

    Draws depend on the seed and on how many requests were routed before, and on nothing else: the
    router keeps no generator between calls.

    Parameters
    ----------
    seed
        At least 0.
    """

    seed: int = 0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Draw a worker for each request.

        Returns
        -------
        ndarray
            [requests] worker, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If ``seed`` is no integer >= 0.
        """
        seed = checked_integer(self.seed, "seed", at_least=0)
        # All draws at once: that of a request does not depend on which workers are open for others.
        draws = np.random.default_rng((seed, workers.routed)).random(len(requests))

        def rule(index: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
            candidates = np.flatnonzero(open_ones)
            return int(candidates[int(draws[index] * len(candidates))])

        return in_order(requests, workers, rule)

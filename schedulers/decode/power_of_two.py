"""Decode router: the less busy of two random workers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schedulers.in_order import in_order
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class PowerOfTwo:
    """Draw two open workers and give the request to the one with fewer requests.

    Two choices keep the longest queue close to the shortest at a fraction of the telemetry
    (Mitzenmacher, IEEE TPDS 12(10), 2001), and with stale telemetry they do not all run to the
    same worker, as those do that always take the lowest. Of two with equally many requests that
    with less key-value cache is taken: a detail of ours.

    Parameters
    ----------
    seed
        At least 0; draws follow from it and from how many requests were routed before.
    """

    seed: int = 0

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Return [requests] the worker of each, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If the seed is negative.
        """
        if self.seed < 0:
            raise ValueError(f"seed = {self.seed} < 0; give a seed of at least 0")
        random = np.random.default_rng((self.seed, workers.routed))

        def rule(_: int, open_ones: NDArray[np.bool_], totals: Assigning) -> int:
            candidates = np.flatnonzero(open_ones)
            if len(candidates) == 1:
                return int(candidates[0])
            first = int(random.integers(len(candidates)))
            # The second of a pair without repetition: one candidate fewer, and the first is jumped
            # over.
            second = int(random.integers(len(candidates) - 1))
            pair = candidates[first], candidates[second + (second >= first)]
            return int(min(pair, key=lambda w: (totals.requests[w], totals.kv_used[w])))

        return in_order(requests, workers, rule)

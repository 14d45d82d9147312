"""Prefill router: the DP group with the least left to compute, cache hits included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from schedulers.one_by_one import one_by_one
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class CacheAware:
    """Give each request to the DP group with the fewest tokens to compute, after its cache hit.

    xDeepServe (arXiv:2508.02520, section 5.1) chooses by cache status, load and request length,
    since long and short prompts in one DP group make stragglers. How is not published; that long
    ones prefer the last ``long_workers`` groups, and short ones the others, is ours. A preference
    yields where none of the preferred is open.

    Parameters
    ----------
    long_tokens
        Prompts with at least so many tokens are long. ``None``: lengths are not kept apart.
    long_workers
        DP groups that long prompts prefer.
    """

    long_tokens: int | None = None
    long_workers: int = 1

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Choose a DP group for each request.

        Returns
        -------
        ndarray
            [requests] DP group, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If a parameter is no integer >= 1.
        """
        reserved = checked_integer(self.long_workers, "long_workers", at_least=1)
        is_long: NDArray[np.bool_] | None = None
        if self.long_tokens is not None:
            limit = checked_integer(self.long_tokens, "long_tokens", at_least=1)
            is_long = requests.prompt_tokens >= limit
            for_long = np.arange(len(workers)) >= len(workers) - reserved
        cached = requests.cached_tokens

        def score(assigning: Assigning, index: int, free: NDArray[np.bool_]) -> NDArray[np.float64]:
            # its own prompt is as long everywhere: only what is cached tells groups apart
            left = assigning.waiting_tokens
            left = left if cached is None else left - cached[index]
            if is_long is not None:
                preferred = for_long if is_long[index] else ~for_long
                if (preferred & free).any():
                    return np.where(preferred, left, np.inf)
            return left.astype(np.float64)

        return one_by_one(requests, workers, score, hits=True)

"""Job router: the longest cached prefix while load is balanced, else the least loaded worker."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_number
from schedulers.job.least_loaded import load_fraction
from schedulers.one_by_one import one_by_one
from schedulers.views import Assigning, Ints, Requests, Workers


@dataclass(frozen=True)
class PrefixAware:
    """Follow the prefix cache while load is balanced, and load where it is not.

    The rule of DeepServe's job executor (arXiv:2501.14417, section 5.2): if loads are balanced,
    the longest match in the prompt tree, else the least load. Among equally long matches the less
    loaded is taken.

    Parameters
    ----------
    balanced_within
        Loads are balanced if those of the open workers differ by at most this fraction of a
        worker's cache (:func:`schedulers.job.least_loaded.load_fraction`). The measure and the
        0.1 are assumptions of ours; the paper gives neither.
    """

    balanced_within: float = 0.1

    def __call__(self, requests: Requests, workers: Workers) -> Ints:
        """Choose a worker for each request.

        Returns
        -------
        ndarray
            [requests] worker, or ``HOLD`` where none is open.

        Raises
        ------
        ValueError
            If ``balanced_within`` is no number >= 0.
        """
        within = checked_number(self.balanced_within, "balanced_within", at_least=0)
        cached = requests.cached_tokens

        def score(assigning: Assigning, index: int, free: NDArray[np.bool_]) -> NDArray[np.float64]:
            load = load_fraction(assigning)
            if cached is None:
                return load
            open_load = load[free]
            # Out of balance, the cache does not count.
            if open_load.max() - open_load.min() > within:
                return load
            longest = cached[index] == cached[index][free].max()
            return np.where(longest, load, np.inf)

        return one_by_one(requests, workers, score)

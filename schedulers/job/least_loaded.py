"""Job router: the worker with the smallest committed share of its capacity."""

import numpy as np

from schedulers.one_by_one import one_by_one
from schedulers.views import Assigning, Floats, Ints, Requests, Workers


def least_loaded(requests: Requests, workers: Workers) -> Ints:
    """Give each request to the open worker of the least :func:`load_fraction`.

    Returns
    -------
    ndarray
        [requests] worker, or ``HOLD`` where none is open.
    """
    return one_by_one(requests, workers, lambda assigning, index, free: load_fraction(assigning))


def load_fraction(assigning: Assigning) -> Floats:
    """Return [workers] waiting prompt tokens plus reserved cache, as a fraction of the cache.

    (waiting_tokens + kv_reserved) / kv_capacity: work still to be done and capacity already
    promised. Waiting prompts count twice, for their computing and for their cache. The sum and its
    weights are an assumption of ours; DeepServe (arXiv:2501.14417) does not say what its load is.
    """
    # a worker without any cache is never open: what it divides by does not matter
    return (assigning.waiting_tokens + assigning.kv_reserved) / np.maximum(
        assigning.workers.kv_capacity, 1
    )

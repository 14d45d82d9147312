"""Decode router: least key-value cache in use."""

from schedulers.in_order import in_order, lowest
from schedulers.views import Ints, Requests, Workers


def least_kv(requests: Requests, workers: Workers) -> Ints:
    """Give each request to the open worker that holds the fewest tokens of key-value cache now.

    What is held now is what the next step of attention reads; how long the requests will stay and
    grow is not looked at, see :func:`schedulers.decode.mask_least_kv.mask_least_kv`. Of equal
    workers the first is taken.

    Parameters
    ----------
    requests, workers
        As every router gets them.

    Returns
    -------
    Ints
        [requests] the worker of each, or ``HOLD`` where none is open.
    """
    return in_order(requests, workers, lambda _, open_, totals: lowest(totals.kv_used, open_))

"""Decode router of xDeepServe: among workers below their limit, least key-value cache."""

from schedulers.in_order import in_order, lowest
from schedulers.views import Ints, Requests, Workers


def mask_least_kv(requests: Requests, workers: Workers) -> Ints:
    """Drop the DP groups at their limit; of the rest take the one of the lowest key-value usage.

    Usage counts the space that is reserved for outputs still to come (xDeepServe, section 4.3), so
    a group that has just got long-lived requests is not taken for an empty one. It is counted in
    tokens, not as a share of the capacity, since DP groups of one task executor are alike: an
    assumption of ours, as is that of equal ones the first is taken.

    Parameters
    ----------
    requests, workers
        As every router gets them.

    Returns
    -------
    Ints
        [requests] the worker of each, or ``HOLD`` where none is open.
    """
    return in_order(requests, workers, lambda _, open_, totals: lowest(totals.kv_reserved, open_))

"""Decode router: fewest requests."""

from schedulers.in_order import in_order, lowest
from schedulers.views import Ints, Requests, Workers


def least_requests(requests: Requests, workers: Workers) -> Ints:
    """Give each request to the open worker that has the fewest, running and waiting ones.

    It balances the batch, hence the tokens that each DP group sends to experts, and is blind to how
    long the sequences are. Of equal workers the first is taken.

    Parameters
    ----------
    requests, workers
        As every router gets them.

    Returns
    -------
    Ints
        [requests] the worker of each, or ``HOLD`` where none is open.
    """
    return in_order(requests, workers, lambda _, open_, totals: lowest(totals.requests, open_))

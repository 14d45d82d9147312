"""Assign requests to domains at random."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from traces.requests import RequestTrace


def with_domains(trace: RequestTrace, shares: Mapping[str, float], seed: int = 0) -> RequestTrace:
    """Return the same requests with a domain each, the same for all of a session.

    Parameters
    ----------
    trace
        The requests.
    shares
        Name of a domain to its share of the sessions; those outside any are drawn one by one. The
        shares need not add up to 1.
    seed
        Of the generator.

    Raises
    ------
    ValueError
        If there are no shares, one is negative or no number, or all are 0.
    """
    weights = np.array(list(shares.values()), dtype=np.float64)
    if not (weights.size and np.isfinite(weights).all() and weights.min() >= 0 and weights.sum()):
        raise ValueError(f"shares = {dict(shares)}; give shares that are not negative, one above 0")
    random = np.random.default_rng(seed)
    domain = random.choice(len(weights), size=trace.num_requests, p=weights / weights.sum())
    if trace.session is not None:
        # The domain that its first request drew is the session's.
        numbers, first, which = np.unique(trace.session, return_index=True, return_inverse=True)
        domain = np.where(numbers[which] >= 0, domain[first[which]], domain)
    return replace(trace, domain=domain.astype(np.int32), domain_names=tuple(shares))

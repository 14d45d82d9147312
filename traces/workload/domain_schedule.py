"""Domains whose shares of the requests change over the day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from traces.request_checks import check_positive
from traces.requests import RequestTrace


@dataclass(frozen=True)
class DomainSchedule:
    """Shares of domains over time; each request gets a domain by the shares when it arrives.

    A session keeps the domain of its first request.

    Parameters
    ----------
    entries
        Seconds from which shares hold, rising from 0, and name of a domain to its share. Shares
        need not add up to 1; a name that is missing in an entry has none.
    gradual
        Let shares change linearly from one entry to the next, and not at once.
    period_s
        Seconds after which the schedule starts over, such as a day; it does not, by default.
    seed
        Of the generator.

    Raises
    ------
    ValueError
        If there are no entries, times do not rise from 0, ``period_s`` is not above them, or
        shares are negative or all 0.

    Examples
    --------
    >>> from traces import RequestTrace
    >>> requests = RequestTrace([0.0, 5.0, 15.0], [1, 1, 1], [1, 1, 1])
    >>> schedule = DomainSchedule([(0.0, {"chat": 1}), (10.0, {"code": 1})])
    >>> trace = schedule(requests)
    >>> [trace.domain_names[domain] for domain in trace.domain]
    ['chat', 'chat', 'code']
    """

    entries: Sequence[tuple[float, Mapping[str, float]]]
    gradual: bool = False
    period_s: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.entries]
        if not starts or starts[0] != 0 or not (np.diff(starts) > 0).all():
            raise ValueError(f"entries start at {starts} s; give times that rise from 0")
        if self.period_s is not None:
            check_positive(period_s=self.period_s)
            if self.period_s <= starts[-1]:
                raise ValueError(
                    f"period_s = {self.period_s} <= {starts[-1]}, where the last entry starts"
                )
        for start, shares in self.entries:
            weights = np.array(list(shares.values()), dtype=np.float64)
            if not (weights.size and np.isfinite(weights).all() and weights.min() >= 0):
                raise ValueError(f"shares from {start} s are {dict(shares)}; give numbers >= 0")
            if weights.sum() == 0:
                raise ValueError(f"shares from {start} s are all 0; give one above 0")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all domains, in order of appearance."""
        return tuple(dict.fromkeys(name for _, shares in self.entries for name in shares))

    def shares(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [times, domains] shares that add up to 1, the domains as in ``names``."""
        starts = np.array([start for start, _ in self.entries])
        table = np.array(
            [[float(of.get(name, 0)) for name in self.names] for _, of in self.entries]
        )
        table /= table.sum(axis=1, keepdims=True)
        times = np.asarray(time_s, dtype=np.float64)
        if self.period_s is not None:
            times = times % self.period_s
        if not self.gradual:
            held: NDArray[np.float64] = table[np.searchsorted(starts, times, side="right") - 1]
            return held
        if self.period_s is not None:
            starts, table = np.append(starts, self.period_s), np.vstack([table, table[:1]])
        return np.column_stack([np.interp(times, starts, column) for column in table.T])

    def __call__(self, requests: RequestTrace) -> RequestTrace:
        """Return the same requests, each with a domain."""
        upto = np.cumsum(self.shares(requests.arrival_s), axis=1)
        drawn = np.random.default_rng(self.seed).random(requests.num_requests)
        domain = (drawn[:, None] >= upto[:, :-1]).sum(axis=1)
        if requests.session is not None:
            _, first, which = np.unique(requests.session, return_index=True, return_inverse=True)
            domain = np.where(requests.session >= 0, domain[first[which]], domain)
        return replace(requests, domain=domain.astype(np.int32), domain_names=self.names)

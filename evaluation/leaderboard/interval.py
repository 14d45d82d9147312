"""95 % confidence intervals of scores: of a row alone, and for comparing rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.bootstrap import block_length, bootstrap
from evaluation.leaderboard.observations import Observations, Runs, value

Array = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Intervals:
    """Scores and their 95 % confidence intervals, [rows] each.

    Ends are infinite where a scenario has a single observation.

    Parameters
    ----------
    score
        Score that ranks.
    low, high
        Interval for comparing rows with each other.
    alone_low, alone_high
        Interval of a row alone: it includes what other traffic would do to all rows alike.
    """

    score: Array
    low: Array
    high: Array
    alone_low: Array
    alone_high: Array


def intervals(rows: Sequence[Runs], *, follow: bool, is_paired: bool = False) -> Intervals:
    """Return scores with confidence intervals.

    Other traffic moves all rows alike, for the most part. To compare rows, the median over the rows
    is therefore subtracted from every bootstrap sample, and the rest is scaled by
    sqrt(rows / (rows - 1)) (Cousineau 2005, doi:10.20982/tqmp.01.1.p042, and Morey 2008,
    doi:10.20982/tqmp.04.2.p061, who subtract the mean; a few bad rows do not move the median).

    Observations relative to a reference need no such step: the reference takes the traffic out.

    A mean of n drawn observations scatters by √((n-1)/n) of what a mean of n new ones does, and its
    tails are normal where those of few observations are Student's. The percentiles are therefore
    further out than 2.5 and 97.5 (the expanded percentile interval of Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). Even so, no interval leaves the range of its own
    observations: from two or three it is too short. An interval always holds its own score.

    Parameters
    ----------
    rows
        One for each row; all have the same scenarios and traces.
    follow
        Whether observations follow each other in time.
    is_paired
        Whether observations are relative to a reference.
    """
    score = np.array([value(runs) for runs in rows])
    counts = [_independent(traces.values(), follow) for traces in rows[0].values()]
    if min(counts) < 2:
        wide = np.full(len(rows), np.inf)
        return Intervals(score, -wide, wide, -wide, wide)
    drawn = bootstrap(rows, follow=follow)
    tail = _tail(sum(counts), sum(counts) - len(counts))
    alone = _percentiles(drawn, score, tail)
    if is_paired or len(rows) < 2:
        return Intervals(score, *alone, *alone)
    common = np.median(drawn, axis=0)
    own = drawn - common
    centre = own.mean(axis=1, keepdims=True)
    own = centre + (own - centre) * np.sqrt(len(rows) / (len(rows) - 1))
    return Intervals(score, *_percentiles(own + common.mean(), score, tail), *alone)


def _independent(traces: Iterable[Observations], follow: bool) -> float:
    """Return the number of observations of a scenario; a block of neighbours counts as one."""
    sizes = [part.numerator.shape[1] for part in traces]
    return float(sum(size / block_length(size) if follow else size for size in sizes))


def _tail(count: float, freedom: float) -> float:
    """Return the lower percentile to read, of ``count`` observations with ``freedom`` degrees."""
    from scipy.special import ndtr, stdtrit

    spread = np.sqrt(count / freedom) * stdtrit(freedom, 0.5 - 0.5 * LEVEL)
    return float(100.0 * ndtr(spread))


def _percentiles(drawn: Array, score: Array, tail: float) -> tuple[Array, Array]:
    low, high = np.percentile(drawn, [tail, 100.0 - tail], axis=1)
    return np.minimum(low, score), np.maximum(high, score)

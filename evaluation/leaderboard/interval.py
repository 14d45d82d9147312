"""How sure the scores of rows are: alone, and compared with each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.bootstrap import resampled, stretch
from evaluation.leaderboard.bootstrap_blocks import Runs, value

Array = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Sure:
    """Scores and their 95 % intervals, [rows] each; infinite where nothing was measured twice.

    Parameters
    ----------
    score
        What is ranked.
    low, high
        Interval for comparing rows with each other.
    alone_low, alone_high
        Interval of a row by itself: with what other traffic would do to all rows alike.
    """

    score: Array
    low: Array
    high: Array
    alone_low: Array
    alone_high: Array


def sure(rows: Sequence[Runs], *, follow: bool) -> Sure:
    """Return scores with intervals.

    Most of what another draw of windows does, it does to all rows alike. To compare rows, what
    happens to the row in the middle is therefore taken out of every draw, and what is left scaled
    by sqrt(rows / (rows - 1)) (Cousineau 2005, doi:10.20982/tqmp.01.1.p042, and Morey 2008,
    doi:10.20982/tqmp.04.2.p061, who take the mean; the median, ours, is not shaken by a few bad
    rows). Percentiles are further out than 2.5 and 97.5 for few blocks
    (Hesterberg 2015, doi:10.1080/00031305.2015.1089789), as in
    :mod:`evaluation.leaderboard.mean_interval`. An interval always holds its own score.
    """
    score = np.array([value(runs) for runs in rows])
    samples, freedom = _samples(rows[0], follow)
    if freedom < 1:
        wide = np.full(len(rows), np.inf)
        return Sure(score, -wide, wide, -wide, wide)
    drawn = resampled(rows, follow=follow)
    alone = _interval(drawn, score, samples, freedom)
    if len(rows) < 2:
        return Sure(score, *alone, *alone)
    common = np.median(drawn, axis=0)
    own = drawn - common
    centre = own.mean(axis=1, keepdims=True)
    own = centre + (own - centre) * np.sqrt(len(rows) / (len(rows) - 1))
    return Sure(score, *_interval(own + common.mean(), score, samples, freedom), *alone)


def _samples(runs: Runs, follow: bool) -> tuple[float, float]:
    """Return independent blocks, and how many of them are left beyond one for each scenario."""
    count = 0.0
    for cells in runs.values():
        for part in cells.values():
            size = part.numerator.shape[1]
            count += size / stretch(size) if follow else size
    return count, count - len(runs)


def _interval(drawn: Array, score: Array, samples: float, freedom: float) -> tuple[Array, Array]:
    from scipy.special import ndtr, stdtrit

    spread = np.sqrt(samples / freedom) * stdtrit(freedom, 0.5 - 0.5 * LEVEL)
    tail = 100.0 * ndtr(spread)
    low, high = np.percentile(drawn, [tail, 100.0 - tail], axis=1)
    return np.minimum(low, score), np.maximum(high, score)

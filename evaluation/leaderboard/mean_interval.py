"""How sure a mean is, and which candidates a leaderboard may not tell apart."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Numbers that a bootstrap holds at once; more draws are made in batches of this size.
BATCH = 4_000_000


def bootstrap_interval(
    values: ArrayLike,
    seed: int = 0,
    draws: int = 2000,
    level: float = 0.95,
    strata: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the interval of a mean over samples, drawn again with replacement.

    Each draw takes the same samples of all rows, so that rows which were measured on the same seeds
    and scenarios stay paired. A mean of n samples drawn again scatters by √((n-1)/n) of what a
    mean of new ones does, and its tails are normal where those of few samples are Student's. The
    percentiles read are therefore further out (the expanded percentile interval of Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). Even so no interval leaves the range of its own samples:
    from two or three it is too short.

    For a geometric mean of ratios give their logarithms, and take the exponential of the result.

    Parameters
    ----------
    values
        Samples in the last axis, [..., samples].
    seed
        Of the draws.
    draws
        How many means are drawn.
    level
        Share of cases in which the interval should hold the true mean, between 0 and 1.
    strata
        Group of each sample [samples]; a draw takes as many of each group as there are. Use it
        for what would not change if the measurement were repeated, scenarios say. One group by
        default.

    Returns
    -------
    low, high
        [...] each.

    Raises
    ------
    ValueError
        If a group has fewer than two samples, from which no interval follows, if a value is not
        finite, or a parameter is out of range.
    """
    from scipy.special import ndtr, stdtrit

    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 0 or not np.isfinite(found).all():
        raise ValueError("values must be finite and have an axis of samples; leave out what failed")
    if draws < 1 or not 0.0 < level < 1.0:
        raise ValueError(f"draws = {draws} and level = {level} break draws >= 1 and 0 < level < 1")
    samples = found.shape[-1]
    groups = _groups(samples, strata)
    freedom = samples - len(groups)
    spread = np.sqrt(samples / freedom) * stdtrit(freedom, 0.5 - 0.5 * level)
    tail = 100.0 * ndtr(spread)
    rows = found.reshape(-1, samples)
    means = np.empty((len(rows), draws))
    random = np.random.default_rng(seed)
    at_once = max(1, BATCH // max(samples, 1))
    for first in range(0, draws, at_once):
        last = min(first + at_once, draws)
        means[:, first:last] = rows @ _weights(groups, samples, last - first, random).T
    low, high = np.percentile(means, [tail, 100.0 - tail], axis=1)
    return low.reshape(found.shape[:-1]), high.reshape(found.shape[:-1])


def _groups(samples: int, strata: ArrayLike | None) -> list[NDArray[np.int64]]:
    """Return the samples of each group."""
    named = np.zeros(samples) if strata is None else np.asarray(strata)
    if named.shape != (samples,):
        raise ValueError(f"strata has shape {named.shape}, needs one name a sample, ({samples},)")
    groups = [np.flatnonzero(named == one) for one in np.unique(named)]
    fewest = min(map(len, groups), default=0)
    if fewest < 2:
        raise ValueError(f"{fewest} samples in a group break samples >= 2; measure more seeds")
    return groups


def _weights(
    groups: list[NDArray[np.int64]], samples: int, draws: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return the weight of each sample in each drawn mean, [draws, samples]."""
    weights = np.zeros((draws, samples))
    for members in groups:
        size = len(members)
        even = np.full(size, 1.0 / size)
        weights[:, members] = random.multinomial(size, even, size=draws) / samples
    return weights


def shared_ranks(low: ArrayLike, high: ArrayLike, estimate: ArrayLike) -> NDArray[np.int64]:
    """Return ranks from 1, where candidates that the best of them may equal share its rank.

    The highest estimate leads the first rank. Going down, those whose interval meets the leader's
    share its rank; the first that does not leads the next, whose number counts all before it: 1, 1,
    3. Comparing with leaders alone keeps a chain of neighbours from making one rank of a whole
    table, and no rank is better than that of a higher estimate. Equal estimates go by upper ends.

    Parameters
    ----------
    low, high
        Ends of the intervals, [candidates]; infinite ones are allowed.
    estimate
        What is ranked, more is better, [candidates].

    Returns
    -------
    ndarray of int64
        [candidates], in the order given.

    Raises
    ------
    ValueError
        If shapes differ, anything is not a number, or an interval ends before it begins.
    """
    lows, highs, middle = (np.asarray(one, dtype=np.float64) for one in (low, high, estimate))
    if middle.ndim != 1 or not lows.shape == highs.shape == middle.shape:
        raise ValueError(
            f"low {lows.shape}, high {highs.shape} and estimate {middle.shape} need one axis and "
            "one length"
        )
    if np.isnan(middle).any() or not (lows <= highs).all():
        raise ValueError("each interval needs low <= high and a number between; rank no failures")
    order = np.lexsort((-lows, -highs, -middle))
    ranks = np.empty(len(order), dtype=np.int64)
    leader = 0
    for place, one in enumerate(order):
        if highs[one] < lows[order[leader]]:
            leader = place
        ranks[one] = leader + 1
    return ranks

"""Mean, variance and skewness of the counts of a step, in the form that the inner loop needs."""

import functools
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from traces.generators.fill_counts import fill_steps

#: Counts with a lower mean, of tokens that choose an expert or do not, are drawn by inversion;
#: others from a normal law with skewness.
INVERTED_BELOW = 16.0
#: Counts that are looked up at once, those above one by one: a binomial one hardly ever is.
WIDTH = 48


@dataclass
class Moments:
    """Arguments of :func:`traces.generators.fill_counts.fill_counts`, for kinds of steps."""

    tokens: NDArray[np.int64]
    moments: NDArray[np.float32]
    upto: NDArray[np.float32]
    per_count: NDArray[np.float32]
    small: NDArray[np.int32]
    small_start: NDArray[np.int64]
    recurrence: NDArray[np.float64]
    small_steps: NDArray[np.uint32]


def moments(
    chance: NDArray[np.float64], tokens: NDArray[np.int64], varied: NDArray[np.float64]
) -> Moments:
    """Return the moments of counts whose tokens choose independently.

    A count is binomial: ``tokens`` trials with the ``chance`` of each expert, which itself varies
    from step to step like a gamma variable. Counts are drawn one by one and then conditioned on
    their total, which takes ``v**2 / sum(v)`` from a variance v; so v is chosen that the binomial
    variance is left.

    Parameters
    ----------
    chance
        [layers, experts] adding up to top_k in each layer.
    tokens
        [kinds] tokens of a step.
    varied
        [layers, experts] coefficients of variation of the probabilities.
    """
    trials = tokens[:, None, None].astype(np.float64)
    chance = np.minimum(chance, 1.0)
    mean = trials * chance
    binomial = mean * (1 - chance)
    variance = _before_conditioning(binomial) + (varied * mean) ** 2
    # Third central moment: of the binomial, of its variance changing with the mean, and of the
    # gamma law.
    third = binomial * (1 - 2 * chance) + 3 * binomial * mean * varied**2 + 2 * mean**3 * varied**4
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = np.where(variance > 0, third / (6 * variance), 0.0)
    # an expert that most tokens choose is counted by those that do not
    mirrored = np.broadcast_to(chance > 0.5, mean.shape)
    rarer = np.where(mirrored, trials - mean, mean)
    small = (rarer < INVERTED_BELOW) & (rarer > 1e-12) & (variance > 0)
    start = np.zeros((len(tokens), chance.shape[0] + 1), np.int64)
    # Where the rare experts of each kind and layer begin in the one list of all.
    start[:, 1:] = np.cumsum(small.sum(axis=2), axis=1)
    start[1:] += np.cumsum(start[:-1, -1:], axis=0)
    upto = np.cumsum(variance, axis=2)
    whole = upto[:, :, -1:]
    upto = np.where(whole > 0, upto / np.where(whole > 0, whole, 1), 1.0)
    recurrence = _recurrence(rarer[small], variance[small], mirrored[small])
    steps = np.empty((len(recurrence), WIDTH), np.uint32)
    fill_steps(recurrence, steps)
    return Moments(
        tokens,
        np.stack([mean, np.sqrt(variance), skewness], axis=1).astype(np.float32),
        upto.astype(np.float32),
        (variance / np.maximum(mean, 1e-30)).astype(np.float32),
        np.nonzero(small)[2].astype(np.int32),
        start,
        recurrence,
        steps,
    )


def elasticity(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how many per cent a chance grows with a weight: less where it is near 1."""
    inside = np.clip(chance, 1e-12, 1 - 1e-12)
    return -(1 - inside) * np.log1p(-inside) / inside


def _before_conditioning(wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return v with ``v - v**2 / sum(v) = wanted``, [..., experts], as near as there is one."""
    variance = wanted.copy()
    for _ in range(50):  # two or three do, unless a few experts have nearly all variance
        whole = variance.sum(axis=-1, keepdims=True)
        better = wanted + variance**2 / np.where(whole > 0, whole, 1)
        done = np.allclose(better, variance, rtol=1e-4, atol=0.0)
        variance = better
        if done:
            break
    return variance


def _recurrence(
    mean: NDArray[np.float64], variance: NDArray[np.float64], mirrored: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return chance of no token, slope and start of ``p(n+1) = p(n) (slope + start / (n+1))``.

    A fourth column is 1 where the tokens that do not choose the expert are meant.

    Binomial, Poisson and negative binomial laws obey it (Panjer, ASTIN Bulletin 12, 1981), and mean
    and variance say which one: below, equal to or above 1 in their ratio.
    """
    slope = 1 - mean / variance
    slope = np.where(np.abs(slope) < 1e-9, 0.0, slope)
    start = mean**2 / variance - slope
    safe = np.where(slope == 0, 1.0, slope)
    log_none = np.where(slope == 0, -mean, np.log(mean / variance) * mean**2 / variance / safe)
    return np.stack([np.exp(log_none), slope, start, mirrored], axis=1)


@functools.cache
def normal_quantiles() -> NDArray[np.float32]:
    """Return [65536] equally likely standard normal numbers, scaled to variance 1."""
    half = NormalDist()
    upper = np.array([half.inv_cdf((n + 0.5) / 65536) for n in range(32768, 65536)])
    table = np.concatenate([-upper[::-1], upper])
    return (table / table.std()).astype(np.float32)

"""Skew of loads: every function takes [..., experts] and returns [...], NaN without load."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: "The hottest fifth": xDeepServe (arXiv:2508.02520) and others quote the load of that share.
TOP = 0.2


def shares(load: ArrayLike) -> Array:
    """Return each expert's share of the load, [..., experts]; NaN where there is none."""
    load = np.asarray(load, np.float64)
    total = load.sum(axis=-1, keepdims=True)
    return np.divide(load, total, out=np.full(load.shape, np.nan), where=total > 0)


def hottest(load: ArrayLike) -> Array:
    """Return the load of the heaviest expert over the mean; 1 is even."""
    share = shares(load)
    peak: Array = share.max(axis=-1) * share.shape[-1]
    return peak


def top_share(load: ArrayLike, part: float = TOP) -> Array:
    """Return the share of the load on the hottest ``part`` of the experts.

    Parameters
    ----------
    load
        [..., experts] tokens.
    part
        Of the experts; rounded up to whole ones.
    """
    share = np.sort(shares(load), axis=-1)
    first = share.shape[-1] - math.ceil(part * share.shape[-1])
    held: Array = share[..., first:].sum(axis=-1)
    return held


def above_mean(load: ArrayLike) -> Array:
    """Return the share of experts with more than the mean load."""
    share = shares(load)
    found = (share > 1 / share.shape[-1]).mean(axis=-1)
    return np.where(np.isnan(share[..., 0]), np.nan, found)


def gini(load: ArrayLike) -> Array:
    """Return the Gini coefficient: 0 is even, 1 − 1/experts is all on one.

    Half the mean absolute difference of two experts over the mean (C. Gini, 1912), computed from
    the sorted loads.
    """
    share = np.sort(shares(load), axis=-1)
    experts = share.shape[-1]
    # How many loads are smaller, less how many are larger.
    weight = 2 * np.arange(1, experts + 1) - experts - 1
    found: Array = (share * weight).sum(axis=-1) / experts
    return found


def variation(load: ArrayLike) -> Array:
    """Return the coefficient of variation: standard deviation over mean."""
    share = shares(load)
    found: Array = share.std(axis=-1) * share.shape[-1]
    return found


def entropy(load: ArrayLike) -> Array:
    """Return Shannon's entropy over its most, log experts: 1 is even, 0 all on one.

    With a single expert it is 1.
    """
    share = shares(load)
    if share.shape[-1] == 1:
        return np.where(np.isnan(share[..., 0]), np.nan, 1.0)
    logarithm = np.log(share, out=np.zeros_like(share), where=share > 0)
    found: Array = -(share * logarithm).sum(axis=-1) / math.log(share.shape[-1])
    return found


def contiguous_balancedness(load: ArrayLike, ranks: int) -> Array:
    """Return mean over maximum rank load with experts on ranks in the order of their ids.

    Parameters
    ----------
    load
        [..., experts] tokens.
    ranks
        EP size; it divides the experts.

    Raises
    ------
    ValueError
        If it does not.
    """
    share = shares(load)
    if ranks < 1 or share.shape[-1] % ranks:
        raise ValueError(f"ranks = {ranks} does not divide {share.shape[-1]} experts")
    on_rank = share.reshape(*share.shape[:-1], ranks, -1).sum(axis=-1)
    found: Array = 1 / (ranks * on_rank.max(axis=-1))
    return found

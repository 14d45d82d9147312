"""Numbers that say what routing is like, by which a recording and a generated trace compare."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float64]


def hottest_over_mean(shares: Shares) -> float:
    """Return the load of the hottest expert over the mean, averaged over windows and layers."""
    return float((shares.max(axis=2) / shares.mean(axis=2)).mean())


def above_mean(shares: Shares) -> float:
    """Return the share of experts with more than the mean load, averaged in the same way."""
    return float((shares > shares.mean(axis=2, keepdims=True)).mean())


def entropy(shares: Shares) -> float:
    """Return the entropy of the loads over that of equal loads, averaged in the same way."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares), 0.0)
    return float(-terms.sum(axis=2).mean() / np.log(max(2, shares.shape[2])))


def moved_next(shares: Shares) -> float:
    """Return the share of the load that sits elsewhere in the next window: total variation."""
    return float(np.abs(np.diff(shares, axis=0)).sum(axis=2).mean() / 2)


def moved_in_four(shares: Shares) -> float:
    """Return the same, four windows on; 0 where there are not as many."""
    if len(shares) < 5:
        return 0.0
    return float(np.abs(shares[4:] - shares[:-4]).sum(axis=2).mean() / 2)


def autocorrelation(shares: Shares) -> float:
    """Return the correlation of an expert's share with that in the next step.

    Deviations from the mean over all steps, all experts and layers together; the drawing of tokens
    is in it.
    """
    deviation = shares - shares.mean(axis=0)
    whole = float((deviation**2).sum())
    pairs = len(shares) - 1
    return (
        float((deviation[1:] * deviation[:-1]).sum()) / whole * len(shares) / pairs
        if whole
        else 0.0
    )


def tail_autocorrelation(shares: Shares) -> float:
    """Return the same eight steps on; 0 where there are not twice as many."""
    if len(shares) < 16:
        return 0.0
    deviation = shares - shares.mean(axis=0)
    whole = float((deviation**2).sum())
    both = float((deviation[8:] * deviation[:-8]).sum())
    return both / whole * len(shares) / (len(shares) - 8) if whole else 0.0


#: Of [windows, layers, experts] shares, each layer adding up to 1.
OF_WINDOWS: dict[str, Callable[[Shares], float]] = {
    "hottest / mean": hottest_over_mean,
    "experts above the mean": above_mean,
    "entropy": entropy,
    "load moved, next window": moved_next,
    "load moved, four windows": moved_in_four,
}

#: Of [steps, layers, experts] shares.
OF_STEPS: dict[str, Callable[[Shares], float]] = {
    "autocorrelation, 1 step": autocorrelation,
    "autocorrelation, 8 steps": tail_autocorrelation,
}


def coactivation(experts: NDArray[np.integer], num_experts: int) -> float:
    """Return how far pairs of experts of one token are from meeting by chance.

    Total variation, between the pairs that tokens choose in a layer and pairs drawn at random with
    the same frequency of each expert; the mean of all layers.

    Parameters
    ----------
    experts
        [tokens, layers, top_k] ids.
    num_experts
        Of one layer.
    """
    top_k = experts.shape[2]
    if top_k == 1:
        return 0.0
    found = []
    for layer in range(experts.shape[1]):
        chosen = _chosen(experts[:, layer], num_experts)
        pairs = chosen.T @ chosen
        np.fill_diagonal(pairs, 0)
        share = pairs.sum(axis=1)
        random = _fitted_pairs(share / share.sum())
        found.append(np.abs(pairs / pairs.sum() - random).sum() / 2)
    return float(np.mean(found))


def layer_dependence(experts: NDArray[np.integer], num_experts: int) -> float:
    """Return how far the choices in a layer and in the next one are from independent.

    Total variation between the pairs (expert, expert of the next layer) of tokens and the product
    of their frequencies; the mean of all neighbours. Parameters as for :func:`coactivation`.
    """
    found = []
    for layer in range(experts.shape[1] - 1):
        here = _chosen(experts[:, layer], num_experts)
        after = _chosen(experts[:, layer + 1], num_experts)
        pairs = here.T @ after
        pairs /= pairs.sum()
        random = pairs.sum(axis=1)[:, None] * pairs.sum(axis=0)[None]
        found.append(np.abs(pairs - random).sum() / 2)
    return float(np.mean(found)) if found else 0.0


#: Of the ids of tokens and the number of experts.
OF_TOKENS: dict[str, Callable[[NDArray[np.integer], int], float]] = {
    "co-activation": coactivation,
    "layer dependence": layer_dependence,
}


def _chosen(ids: NDArray[np.integer], num_experts: int) -> NDArray[np.float32]:
    chosen = np.zeros((len(ids), num_experts), np.float32)
    chosen[np.arange(len(ids))[:, None], ids] = 1
    return chosen


def _fitted_pairs(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the symmetric product without diagonal whose rows add up to ``share``."""
    weight = np.asarray(share, np.float64).copy()
    for _ in range(100):
        rest = weight.sum() - weight
        weight = np.sqrt(weight * share / np.maximum(rest, 1e-300))
    pairs = weight[:, None] * weight[None]
    np.fill_diagonal(pairs, 0)
    return pairs / pairs.sum()

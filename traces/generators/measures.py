"""Statistics of routing by which a recording and a generated trace are compared."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from traces.statistics.pairs import Pairs, excess, expected_onward, expected_together

Shares = NDArray[np.float64]


def hottest_over_mean(shares: Shares) -> float:
    """Return the load of the heaviest expert over the mean, averaged over windows and layers."""
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
    """Return the same, four windows on; NaN where there are not as many."""
    if len(shares) < 5:
        return float("nan")
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
    """Return the same eight steps on; NaN where there are not twice as many."""
    if len(shares) < 16:
        return float("nan")
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


def coactivation(experts: NDArray[np.unsignedinteger], num_experts: int) -> float:
    """Return the share of pairs that tokens choose together beyond chance, the mean of all layers.

    See :func:`traces.statistics.pairs.excess`; NaN where a token chooses one expert.

    Parameters
    ----------
    experts
        [tokens, layers, top_k] ids.
    num_experts
        Of one layer.
    """
    pairs = _pairs(experts, num_experts)
    together = [pairs.together(layer) for layer in range(experts.shape[1])]
    return float(np.mean([excess(found, expected_together(found)) for found in together]))


def layer_dependence(experts: NDArray[np.unsignedinteger], num_experts: int) -> float:
    """Return the same of choices in a layer and in the next one; NaN where there is none.

    Parameters as for :func:`coactivation`.
    """
    pairs = _pairs(experts, num_experts)
    onward = [pairs.onward(layer) for layer in range(experts.shape[1] - 1)]
    found = [excess(choices, expected_onward(choices)) for choices in onward]
    return float(np.mean(found)) if found else float("nan")


def _pairs(experts: NDArray[np.unsignedinteger], num_experts: int) -> Pairs:
    pairs = Pairs(experts.shape[1], num_experts)
    pairs.add(experts)
    return pairs


#: Of the ids of tokens and the number of experts.
OF_TOKENS: dict[str, Callable[[NDArray[np.unsignedinteger], int], float]] = {
    "co-activation": coactivation,
    "layer dependence": layer_dependence,
}

"""Laws of expert popularity: Zipf, lognormal and Dirichlet.

All synthetic popularity of podlab is drawn here, but for the small test problems of ``lb``, which
imports no other package.
"""

import numpy as np
from numpy.typing import NDArray

#: Laws that :func:`random_logits` draws.
LAWS = ("zipf", "lognormal")


def random_logits(
    law: str, skew: float, layers: int, experts: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the log-popularity of experts, independently for each layer.

    Parameters
    ----------
    law
        "zipf": the expert of rank r = 1, 2 … has weight r^-skew, and ranks are shuffled in every
        layer. "lognormal": weight exp(skew · z) with standard normal z.
    skew
        Zipf's exponent, or the standard deviation of the logarithm. 0 is uniform.
    layers, experts
        Shape.
    generator
        Source of randomness.

    Returns
    -------
    ndarray
        [layers, experts] logarithms of the weights.

    Raises
    ------
    ValueError
        If the law is unknown.
    """
    if law == "lognormal":
        return skew * generator.standard_normal((layers, experts))
    if law == "zipf":
        return zipf_logits(random_ranks(layers, experts, generator), skew)
    raise ValueError(f"law = {law!r} is not one of {', '.join(LAWS)}")


def random_ranks(layers: int, experts: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return [layers, experts] popularity ranks, from 0, shuffled in every layer."""
    return generator.permuted(np.tile(np.arange(experts), (layers, 1)), axis=1)


def zipf_logits(rank: NDArray[np.int64], skew: float) -> NDArray[np.float64]:
    """Return the logits of Zipf's law for popularity ranks that count from 0."""
    logits: NDArray[np.float64] = -skew * np.log1p(rank)
    return logits


def dirichlet_logits(
    rank: NDArray[np.int64], concentration: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return logits of Dirichlet shares for popularity ranks [layers, experts] that count from 0.

    Parameters
    ----------
    rank
        [layers, experts] popularity ranks.
    concentration
        Of each expert. Small is skewed.
    generator
        Source of randomness.
    """
    # gamma variables of shape a are those of shape a + 1 times U**(1/a); in logarithms, none is 0
    log = np.log(generator.standard_gamma(concentration + 1, rank.shape))
    log += np.log(1 - generator.random(rank.shape)) / concentration
    log = -np.sort(-log, axis=1)
    # weights below exp(-30) of the best are never chosen; they only must stay finite
    log = np.maximum(log, log[:, :1] - 30)
    return np.take_along_axis(log, rank, axis=1)


def along_layers(fresh: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    """Return standard normals correlated from layer to layer, from independent ones.

    Parameters
    ----------
    fresh
        [..., layers, experts], changed in place.
    correlation
        Between one expert id in a layer and in the next. Two layers apart it is squared.
    """
    if correlation:
        own = np.sqrt(1 - correlation**2)
        # Both parts together keep the variance at 1.
        for layer in range(1, fresh.shape[-2]):
            fresh[..., layer, :] *= own
            fresh[..., layer, :] += correlation * fresh[..., layer - 1, :]
    return fresh

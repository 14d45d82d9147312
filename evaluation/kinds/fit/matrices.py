"""Load matrices of the `fit` suite: popularity drawn by a law, independently for each layer."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.popularity import random_logits, random_ranks

LAWS = ("lognormal", "uniform", "zipf")


def matrix(
    law: str, skew: float, layers: int, experts: int, tokens: float, seed: int
) -> NDArray[np.float64]:
    """Return [layers, experts] tokens drawn by a law.

    Parameters
    ----------
    law
        "lognormal" and "zipf" as in :func:`traces.generators.popularity.random_logits`; "uniform":
        weights between 0 and 1, whatever the skew.
    skew
        Standard deviation of the logarithm, or Zipf's exponent.
    layers, experts
        Shape.
    tokens
        Sum of each layer.
    seed
        Random seed.

    Raises
    ------
    ValueError
        If the law is unknown.
    """
    generator = np.random.default_rng(seed)
    if law == "uniform":
        load = generator.uniform(size=(layers, experts))
    elif law == "lognormal":
        load = np.exp(random_logits(law, skew, layers, experts, generator))
    elif law == "zipf":
        # a power and not the exponential of the logits, which would change the last digits of loads
        by_rank = np.arange(1.0, experts + 1) ** -float(skew)
        load = by_rank[random_ranks(layers, experts, generator)]
    else:
        raise ValueError(f"law = {law!r} is not one of {', '.join(LAWS)}")
    scaled: NDArray[np.float64] = load * (tokens / load.sum(axis=1, keepdims=True))
    return scaled

"""Static loads: one [layers, experts] matrix, every layer drawn on its own by a law."""

import numpy as np
from numpy.typing import NDArray

LAWS = ("lognormal", "uniform", "zipf")


def matrix(
    law: str, skew: float, layers: int, experts: int, tokens: float, seed: int
) -> NDArray[np.float64]:
    """Return [layers, experts] tokens.

    Parameters
    ----------
    law
        "lognormal": logarithms are normal with deviation ``skew``; "uniform": between 0 and 1,
        whatever the skew; "zipf": the k-th hottest expert gets k ** -skew, each layer in an order
        of its own.
    skew
        As the law says.
    layers, experts
        Shape.
    tokens
        Sum of each layer.
    seed
        Of the generator.

    Raises
    ------
    ValueError
        If the law is unknown.
    """
    generator = np.random.default_rng(seed)
    shape = (layers, experts)
    if law == "uniform":
        load = generator.uniform(size=shape)
    elif law == "lognormal":
        load = np.exp(skew * generator.standard_normal(shape))
    elif law == "zipf":
        hottest_first = np.tile(np.arange(1, experts + 1) ** -float(skew), (layers, 1))
        load = generator.permuted(hottest_first, axis=1)
    else:
        raise ValueError(f"law = {law!r} is not one of {', '.join(LAWS)}")
    scaled: NDArray[np.float64] = load * (tokens / load.sum(axis=1, keepdims=True))
    return scaled

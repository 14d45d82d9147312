"""Counts that drift from iteration to iteration, made one iteration at a time."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from traces.generators.popularity import random_logits


def drifting_counts(
    iterations: int,
    layers: int = 58,
    experts: int = 256,
    *,
    rho: float = 0.9997,
    tokens: int = 65_536,
    seed: int = 0,
) -> Iterator[NDArray[np.int32]]:
    """Yield [layers, experts] counts of one iteration after another.

    Counts are Poisson with mean ``tokens * softmax(x)`` over the experts of a layer. Every expert
    has its own x: standard normal at first, then ``rho x + sqrt(1 - rho^2) e`` with standard normal
    e, which leaves it standard normal. Only one iteration is held in memory. The same arguments
    give the same counts with one version of numpy.

    Parameters
    ----------
    iterations, layers, experts
        Shape of the whole trace.
    rho
        Correlation of x from one iteration to the next, 0 to 1.
    tokens
        Mean of a layer's counts in an iteration.
    seed
        Random seed.

    Raises
    ------
    ValueError
        If an argument is out of its range, at once and not when the first counts are asked for.

    Examples
    --------
    >>> [counts.shape for counts in drifting_counts(2, layers=3, experts=4)]
    [(3, 4), (3, 4)]
    """
    iterations = checked_integer(iterations, "iterations", at_least=1)
    shape = (
        checked_integer(layers, "layers", at_least=1),
        checked_integer(experts, "experts", at_least=1),
    )
    rho = checked_number(rho, "rho", at_least=0.0, at_most=1.0)
    tokens = checked_integer(tokens, "tokens", at_least=1)
    seed = checked_integer(seed, "seed", at_least=0)
    return _counts(iterations, shape, rho, tokens, seed)


def _counts(
    iterations: int, shape: tuple[int, int], rho: float, tokens: int, seed: int
) -> Iterator[NDArray[np.int32]]:
    generator = np.random.default_rng(seed)
    state = random_logits("lognormal", 1.0, *shape, generator)
    innovation = math.sqrt(1 - rho * rho)
    for _ in range(iterations):
        popularity = np.exp(state)
        popularity /= popularity.sum(axis=1, keepdims=True)
        yield generator.poisson(tokens * popularity).astype(np.int32)
        state = rho * state + innovation * generator.normal(size=shape)

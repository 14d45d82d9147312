"""Counts of steps drawn from the chances of the conditions of their tokens."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.moments import normal_quantiles
from traces.workload.fill_mixture import RENEWED_EVERY, fill_mixture


def chance_counts(
    tokens: NDArray[np.int64],
    chance: NDArray[np.float64],
    top_k: int,
    random: np.random.Generator,
) -> NDArray[np.int32]:
    """Return expert counts of steps whose tokens choose independently.

    Totals are exact: ``top_k`` for each token in each layer. Mean and variance of a count are
    those of independent tokens, the sum over conditions of ``n p`` and ``n p (1 - p)``, as is its
    skewness. Below a mean of 16, counts are drawn by inversion; others from a normal law with that
    skewness. Both are then conditioned on the total. This is the law of
    :func:`traces.generators.counts`, with tokens that change from step to step. Steps of up to
    four tokens are drawn token by token instead.

    Parameters
    ----------
    tokens
        [steps, conditions] tokens, 0 or more.
    chance
        [layers, conditions, experts] chance that a token chooses an expert; each row adds up to
        ``top_k``.
    top_k
        Experts that a token chooses.
    random
        Gives the key of the random bits.

    Returns
    -------
    ndarray
        [steps, layers, experts].

    Raises
    ------
    ValueError
        If there are other conditions, negative tokens, or 2**31 copies of tokens in a step.
    """
    layers, conditions, experts = chance.shape
    if tokens.ndim != 2 or tokens.shape[1] != conditions:
        raise ValueError(
            f"tokens has shape {tokens.shape}; give [steps, {conditions}], a column a condition"
        )
    if tokens.size and tokens.min() < 0:
        raise ValueError(f"tokens hold {tokens.min()} < 0; give tokens of each condition")
    whole = tokens.sum(axis=1)
    most = int(whole.max(initial=0))
    if most * top_k >= 2**31:
        raise ValueError(f"a step has {most} tokens x top_k = {top_k} >= 2**31 copies; split it")
    counts = np.empty((len(tokens), layers, experts), dtype=np.int32)
    key = np.uint64(random.integers(2**64, dtype=np.uint64))
    order = random.permuted(np.tile(np.arange(experts), (layers, 1)), axis=1)
    fill_mixture(
        counts,
        tokens,
        whole,
        *_changes(tokens),
        chance,
        top_k,
        key,
        normal_quantiles(),
        order,
        np.empty((layers, 3, experts)),
        0,
    )
    return counts


def _changes(tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the arguments ``begin`` and ``changes`` of the kernel."""
    before = np.zeros_like(tokens)
    before[1:] = tokens[:-1]
    before[::RENEWED_EVERY] = 0
    more = tokens - before
    step, condition = np.nonzero(more)
    begin = np.searchsorted(step, np.arange(len(tokens) + 1))
    return begin, np.column_stack([condition, more[step, condition]])

"""Token counts of steps in which expert popularity follows a law."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.generators.popularity import LAWS, random_logits

Array = NDArray[np.float64]
#: Beyond it shares underflow; nothing recorded comes near.
MOST_SKEW = 10.0


@dataclass(frozen=True)
class Popularity:
    """A law of expert popularity.

    Parameters
    ----------
    law, skew
        As in :func:`traces.generators.popularity.random_logits`.
    top_k
        Experts that a token chooses. It chooses none twice, so no expert gets more than one copy of
        a token: the largest possible share of all copies is 1 / top_k. What a law gives beyond that
        goes to the other experts in proportion (an assumption of ours).

    Raises
    ------
    ValueError
        If the law is unknown, or ``top_k`` >= 1 or 0 <= ``skew`` <= 10 fails.
    """

    law: str
    skew: float
    top_k: int

    def __post_init__(self) -> None:
        if self.law not in LAWS:
            raise ValueError(f"law = {self.law!r} is not one of {', '.join(LAWS)}")
        if not 0 <= self.skew <= MOST_SKEW:
            raise ValueError(f"skew = {self.skew} breaks 0 <= skew <= {MOST_SKEW:g}")
        if self.top_k < 1:
            raise ValueError(f"top_k = {self.top_k} < 1; a token chooses at least one expert")

    def logarithm(self, layers: int, experts: int, generator: np.random.Generator) -> Array:
        """[layers, experts] logarithm of the weights."""
        return random_logits(self.law, self.skew, layers, experts, generator)

    def share(self, logarithm: Array) -> Array:
        """[layers, experts] share of the token copies, each at most 1 / top_k."""
        weight = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
        return np.stack([_capped(row / row.sum(), 1.0 / self.top_k) for row in weight])


def token_counts(
    share: Array, top_k: int, tokens: int, steps: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the token copies of each expert.

    An expert with the largest possible share gets one copy of every token. The other copies are
    multinomial. This ignores that the experts of one token differ: an approximation.

    Parameters
    ----------
    share
        [layers, experts], each at most 1 / ``top_k``, such as :meth:`Popularity.share`.
    top_k
        Experts that a token chooses.
    tokens
        Tokens of a step.
    steps
        Steps to draw.
    generator
        Source of randomness.

    Returns
    -------
    ndarray
        [steps, layers, experts]; each layer adds up to ``tokens`` · ``top_k``.
    """
    full = share >= 1.0 / top_k
    free = np.where(full, 0.0, share)
    rest = free.sum(axis=1, keepdims=True)
    chance = np.divide(free, rest, out=np.full_like(free, 1 / free.shape[1]), where=rest > 0)
    copies = tokens * (top_k - full.sum(axis=1))
    drawn = generator.multinomial(copies, chance, size=(steps, len(share)))
    return np.asarray(drawn + tokens * full, dtype=np.int64)


def after_drift(logarithm: Array, drift: float, generator: np.random.Generator) -> Array:
    """Return popularity some time later: one step of an AR(1) process with ρ = 1 − ``drift``.

    Mean and spread of each layer do not change.

    Parameters
    ----------
    logarithm
        [layers, experts] logarithm of the weights.
    drift
        0: nothing changes; 1: nothing is left of it.
    generator
        Source of randomness.

    Raises
    ------
    ValueError
        If 0 <= ``drift`` <= 1 fails.
    """
    if not 0 <= drift <= 1:
        raise ValueError(f"drift = {drift} breaks 0 <= drift <= 1")
    if drift == 0:
        return logarithm
    kept = 1.0 - drift
    mean = logarithm.mean(axis=1, keepdims=True)
    spread = logarithm.std(axis=1, keepdims=True)
    new = spread * generator.standard_normal(logarithm.shape)
    later: Array = mean + kept * (logarithm - mean) + np.sqrt(1.0 - kept**2) * new
    return later


def _capped(share: Array, most: float) -> Array:
    """Return a share that adds up to 1 with no entry above ``most``; the rest keep proportion."""
    full = np.zeros(len(share), dtype=bool)
    while (over := (share > most) & ~full).any():
        full |= over
        rest = share[~full].sum()
        scale = (1.0 - most * full.sum()) / rest if rest > 0 else 0.0
        share = np.where(full, most, share * scale)
    return share

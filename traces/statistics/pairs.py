"""Pairs of experts chosen together: by a token in one layer, and from a layer to the next."""

import itertools

import numpy as np
from numpy.typing import NDArray

from traces.statistics.known import known_ratio

Array = NDArray[np.float64]

#: Expected number from which a pair's lift is worth naming: Cochran's rule for expected counts.
LEAST_EXPECTED = 5.0
SCALING_ROUNDS = 200


class Pairs:
    """Counts of pairs of experts, over tokens that come chunk by chunk.

    Parameters
    ----------
    layers, experts
        Of the trace.
    """

    def __init__(self, layers: int, experts: int) -> None:
        self.experts = experts
        self._together = np.zeros((layers, experts, experts), np.uint32)
        self._onward = np.zeros((layers - 1, experts, experts), np.uint32)

    def add(self, chosen: NDArray[np.unsignedinteger]) -> None:
        """Add tokens, [tokens, layers, top_k] expert ids."""
        top_k = chosen.shape[2]
        # Each pair of choices once.
        mates = np.array(list(itertools.combinations(range(top_k), 2)), int).reshape(-1, 2)
        before = None
        for layer, ids in enumerate(np.moveaxis(chosen, 1, 0).astype(np.int64)):
            if len(mates):
                self._together[layer] += self._count(ids[:, mates[:, 0]], ids[:, mates[:, 1]])
            if before is not None:
                self._onward[layer - 1] += self._count(before[:, :, None], ids[:, None, :])
            before = ids

    def _count(
        self, one: NDArray[np.int64], other: NDArray[np.int64]
    ) -> NDArray[np.unsignedinteger]:
        # One cell for each ordered pair, so that one bincount counts all.
        cells = (one * self.experts + other).ravel()
        found = np.bincount(cells, minlength=self.experts**2)
        return found.reshape(self.experts, self.experts).astype(np.uint32)

    def together(self, layer: int) -> Array:
        """[experts, experts] tokens that chose both, symmetric, 0 on the diagonal."""
        upper = self._together[layer].astype(np.float64)
        return upper + upper.T

    def onward(self, layer: int) -> Array:
        """[experts, experts] choices of one in ``layer`` and of the other in the next."""
        return self._onward[layer].astype(np.float64)


def expected_together(together: Array) -> Array:
    """Return what chance would make of pairs, each expert being in as many.

    Quasi-independence: the expected number of pair (i, j), i ≠ j, is w_i w_j, with weights such
    that every expert keeps the pairs that it is in (found by iterative proportional fitting). The
    top k of noisy scores are not exactly that: where a few experts are in most tokens, they alone
    make an :func:`excess` of two or three hundredths.

    Parameters
    ----------
    together
        [experts, experts] symmetric, 0 on the diagonal.
    """
    margin = together.sum(axis=1)
    weight = np.sqrt(margin) if margin.sum() == 0 else margin / np.sqrt(margin.sum())
    for _ in range(SCALING_ROUNDS):
        rest = weight.sum() - weight
        fitted = np.divide(margin, rest, out=np.zeros_like(margin), where=rest > 0)
        if np.allclose(fitted, weight, rtol=1e-9, atol=0):
            break
        weight = np.sqrt(fitted * weight)  # half a step: a whole one swings about the answer
    expected = np.outer(weight, weight)
    np.fill_diagonal(expected, 0)
    return expected


def expected_onward(onward: Array) -> Array:
    """Return what chance would make of choices in two layers: the product of their shares."""
    total = onward.sum()
    if total == 0:
        return np.zeros_like(onward)
    return np.outer(onward.sum(axis=1), onward.sum(axis=0)) / total


def excess(observed: Array, expected: Array) -> float:
    """Return the share of pairs beyond chance: half the sum of |observed − expected| over all.

    0 is chance; it is the total variation distance of the two distributions. NaN without pairs.
    """
    found = np.abs(observed - expected).sum() / 2
    return float(known_ratio(found, observed.sum()))


def excess_by_chance(expected: Array, top_k: int) -> float:
    """Return the excess that so few tokens show where nothing is beyond chance.

    From the mean absolute deviation of a Poisson count of mean m, 2 e^−m m^(⌊m⌋+1) / ⌊m⌋!
    (E. L. Crow, Biometrika 45, 1958), sqrt(2 m / π) beyond 100. It is narrowed by
    sqrt((1 − c_i) (1 − c_j)), c being the parts of the tokens that choose each expert, since how
    often each is chosen is given: the variance of a fourfold table with fixed margins.

    Parameters
    ----------
    expected
        [experts, experts] what chance makes of pairs.
    top_k
        Experts that a token chooses in one layer.
    """
    total = expected.sum()
    if total == 0:
        return float("nan")
    # Parts of the tokens that choose each expert.
    one, other = (np.clip(1 - top_k * expected.sum(axis=n) / total, 0, 1) for n in (1, 0))
    mean = np.where(expected > 0, expected, 1.0)
    floor = np.floor(np.minimum(mean, 100)).astype(int)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 101)))])
    exact = 2 * np.exp(-mean + (floor + 1) * np.log(mean) - log_factorial[floor])
    deviation = np.where(mean < 100, exact, np.sqrt(2 * mean / np.pi))
    narrowed = deviation * np.sqrt(np.outer(one, other)) * (expected > 0)
    return float(narrowed.sum() / 2 / total)


def strongest(observed: Array, expected: Array) -> tuple[int, int, float] | None:
    """Return the pair with the highest lift, and it: observed over expected.

    Lift is that of association rules (Brin, Motwani, Ullman and Tsur, SIGMOD 1997), here over what
    :func:`expected_together` expects. Only pairs of which chance makes 5 or more count; None if
    there is none.
    """
    lift = np.where(expected >= LEAST_EXPECTED, known_ratio(observed, expected), -1.0)
    best = int(np.argmax(lift))
    one, other = divmod(best, lift.shape[1])
    return (one, other, float(lift[one, other])) if lift[one, other] >= 0 else None

"""Sequences that are alike within themselves: kinds of sequences with loads of their own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.request_checks import check_count
from traces.requests import RequestTrace

#: Most rounds in which the mean over kinds is brought to the chance of the condition.
ROUNDS = 30
#: Relative deviation of that mean that is good enough.
TOLERANCE = 1e-3
#: Bound of what is divided by.
LEAST = 1e-200


@dataclass(frozen=True)
class SequenceKinds:
    """Overdispersion between sequences: every sequence is of one kind for its whole life.

    The shares of a kind are drawn from a Dirichlet law around those of the condition; choices of
    its tokens are then independent, so that a sum over steps is still one draw with the summed
    tokens of each kind. ``correlation`` is that of two tokens of one sequence in whether they take
    an expert: n tokens of a sequence that takes an expert of chance c count with the variance
    ``n c (1 - c) (1 + (n - 1) correlation)``.

    Finitely many kinds stand for sequences that all differ: an approximation. The mean over kinds
    is the chance of the condition, so that the load of a batch of N sequences varies by
    ``c (1 - c) correlation / N``, as that of N different sequences does, however few kinds there
    are.

    Parameters
    ----------
    correlation
        Of two tokens of a sequence, 0 up to 1.
    count
        Kinds of each condition, at least 2 unless all sequences are alike.
    seed
        Of the shares.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    correlation: float = 0.0
    count: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.correlation < 1:
            raise ValueError(f"correlation = {self.correlation} is outside 0 <= correlation < 1")
        check_count(self.count, "count")
        if self.correlation and not self._drawn < 1:
            raise ValueError(
                f"count = {self.count} kinds cannot differ by correlation = {self.correlation}: "
                "correlation < 1 - 1 / count must hold; give more kinds"
            )

    @property
    def _drawn(self) -> float:
        """Correlation of what is drawn; bringing the mean to its place takes 1 / count of it."""
        return np.inf if self.count == 1 else self.correlation * self.count / (self.count - 1)

    def of_requests(self, requests: RequestTrace, random: np.random.Generator) -> NDArray[np.int64]:
        """Return [requests] kind of each, at random; requests of one session are of one kind."""
        kind = random.integers(self.count, size=requests.num_requests)
        if requests.session is None:
            return kind
        _, first, which = np.unique(requests.session, return_index=True, return_inverse=True)
        return np.where(requests.session >= 0, kind[first[which]], kind)

    def chances(self, chance: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
        """Return [conditions * count, layers, experts] chances of ``chance`` [conditions, …].

        The kinds of a condition follow one another. Each layer adds up to ``top_k``.
        """
        return self.applied(self.factors(chance, top_k), chance, top_k)

    def factors(self, chance: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
        """Return what each kind multiplies chances with, [conditions, count, layers, experts].

        Drawn for ``chance`` [conditions, layers, experts]; where chances drift, factors stay.
        """
        shape = (len(chance), self.count, *chance.shape[1:])
        if self.correlation == 0 or top_k == chance.shape[2]:
            return np.ones(shape)
        # a chance is top_k shares: the variance c (1 - c) r of a chance far below 1 is that of a
        # share in a Dirichlet law of this concentration
        expected = np.maximum(chance, LEAST) * (1 / self._drawn - 1 / top_k)
        random = np.random.default_rng(self.seed)
        drawn = random.standard_gamma(np.broadcast_to(expected[:, None], shape))
        return np.maximum(drawn, LEAST) / expected[:, None]

    def applied(
        self, factors: NDArray[np.float64], chance: NDArray[np.float64], top_k: int
    ) -> NDArray[np.float64]:
        """Return the chances of kinds, [conditions * count, layers, experts]; see :meth:`chances`.

        The mean over the kinds of a condition is brought to its chance.
        """
        kinds = np.empty(factors.shape)
        for row, wanted in enumerate(chance):
            own = _within(factors[row] * wanted, top_k)
            for _ in range(ROUNDS if self.correlation else 0):
                miss = wanted / np.maximum(own.mean(axis=0), LEAST)
                if np.abs(miss - 1).max() < TOLERANCE:
                    break
                own = _within(own * miss, top_k)
            kinds[row] = own
        return kinds.reshape(-1, *chance.shape[1:])


def _within(weight: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
    """Return chances in proportion to the weights [..., experts]; what is above 1 goes to others.

    They add up to ``top_k``.
    """
    chance = weight * (top_k / weight.sum(axis=-1, keepdims=True))
    while (chance > 1 + 1e-12).any():
        full = chance >= 1
        left = top_k - full.sum(axis=-1, keepdims=True)
        others = np.where(full, 0.0, chance)
        others *= left / np.maximum(others.sum(axis=-1, keepdims=True), LEAST)
        chance = np.where(full, 1.0, others)
    return chance

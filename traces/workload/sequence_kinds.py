"""Sequences that are alike within themselves: kinds of sequences with loads of their own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.generators.inclusion import inclusion, logits_of
from traces.request_checks import check_count
from traces.requests import RequestTrace

#: Rounds in which the mean over kinds is brought to the chance of the condition.
ROUNDS = 12
#: Bound of chances, so that their logits are finite.
LEAST = 1e-9


@dataclass(frozen=True)
class SequenceKinds:
    """Overdispersion between sequences: every sequence is of one kind for its whole life.

    A kind adds a normal deviation to the logits of every expert. The mean over kinds is the chance
    of the condition. Tokens of one kind are independent, so that a sum over steps is still one draw
    with the summed tokens of each kind. Finitely many kinds stand for sequences that all differ: an
    approximation, the better the more kinds there are than sequences that matter.

    Parameters
    ----------
    sigma
        Standard deviation of a sequence's logits around those of its condition.
    count
        Kinds of each condition.
    seed
        Of the deviations.

    Raises
    ------
    ValueError
        If ``sigma`` is negative or no number, or ``count`` below 1.
    """

    sigma: float
    count: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < np.inf:
            raise ValueError(f"sigma = {self.sigma} is outside 0 <= sigma < infinity")
        check_count(self.count, "count")

    def of_requests(self, requests: RequestTrace, random: np.random.Generator) -> NDArray[np.int64]:
        """Return [requests] kind of each, at random; requests of one session are of one kind."""
        kind = random.integers(self.count, size=requests.num_requests)
        if requests.session is None:
            return kind
        _, first, which = np.unique(requests.session, return_index=True, return_inverse=True)
        return np.where(requests.session >= 0, kind[first[which]], kind)

    def chances(self, chance: NDArray[np.float64], top_k: int) -> NDArray[np.float64]:
        """Return [conditions * count, layers, experts] chances of ``chance`` [conditions, …].

        The kinds of a condition follow one another.
        """
        random = np.random.default_rng([self.seed, self.count])
        conditions, layers, experts = chance.shape
        if self.count == 1 or self.sigma == 0 or top_k == experts:
            return np.repeat(chance, self.count, axis=0)
        kinds = np.empty((conditions, self.count, layers, experts))
        for row, wanted in enumerate(chance):
            deviation = self.sigma * random.standard_normal((self.count, layers, experts))
            logits = logits_of(np.clip(wanted, LEAST, 1 - LEAST))
            for _ in range(ROUNDS):
                kinds[row] = inclusion(logits + deviation, top_k)
                mean = np.clip(kinds[row].mean(axis=0), LEAST, 1 - LEAST)
                logits += logits_of(np.clip(wanted, LEAST, 1 - LEAST)) - logits_of(mean)
            kinds[row] = inclusion(logits + deviation, top_k)
        return kinds.reshape(-1, layers, experts)

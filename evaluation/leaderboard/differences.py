"""Paired differences between rows: which are separated, and what would separate the others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.observations import Array
from evaluation.leaderboard.scatter import Scatter, freedom

#: Probability that any two equal rows of a ranking are separated.
FAMILY_WISE_ERROR = 0.05
#: Probability that as many repetitions as :meth:`Differences.repetitions_to_separate` says are
#: enough, if difference and scatter are those observed.
POWER = 0.8
#: Differences below this share of the scores are errors of rounding.
ROUNDING = 1e-9
MOST_REPETITIONS = 10**6


@dataclass(frozen=True)
class Differences:
    """Differences of the scores of all pairs of rows, on the same repetitions.

    Parameters
    ----------
    score
        [rows].
    sources
        Independent sources of scatter.
    known
        For which rows they are known, [rows].
    """

    score: Array
    sources: Sequence[Scatter]
    known: NDArray[np.bool_]

    def separated(self) -> NDArray[np.bool_]:
        """Return which pairs of rows differ, [rows, rows].

        Each pair is tested with Student's t. The tests of all pairs together are corrected with
        Holm's method, which holds however pairs depend on each other: the probability that any
        pair of equal rows is separated is at most 5 %.

        References
        ----------
        S. Holm: A simple sequentially rejective multiple test procedure, Scandinavian Journal of
        Statistics 6, 1979, 65-70.
        """
        first, second = self._pairs()
        separated = np.zeros((len(self.score), len(self.score)), dtype=np.bool_)
        if self.sources and len(first):
            rejected = _holm(self._probabilities(first, second))
            separated[first[rejected], second[rejected]] = True
        return separated | separated.T

    def repetitions_to_separate(self, separated: NDArray[np.bool_]) -> Array:
        """Return with how many repetitions of each scenario a pair would separate, [rows, rows].

        It is the lowest number of repetitions for which the pair is found with a probability of
        80 %, beside all others that are tied now, if difference and scatter are those observed.
        Not a number where it is not known: the pair is separated, its rows ran on a single trace,
        or more than a million repetitions would be needed.
        """
        counts = np.full(separated.shape, np.nan)
        first, second = self._pairs()
        tied = ~separated[first, second]
        if not self.sources or not tied.any():
            return counts
        first, second = first[tied], second[tied]
        needed = self._enough(first, second, FAMILY_WISE_ERROR / tied.sum())
        counts[first, second] = counts[second, first] = needed
        return counts

    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return np.triu_indices(len(self.score), 1)

    def _variances(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
        """Return the variances of differences by source, [sources, pairs]."""
        return np.stack([source.of_differences()[first, second] for source in self.sources])

    def _difference(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
        return np.abs(self.score[first] - self.score[second])

    def _rounding(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
        """Return the least standard error: identical rows must not differ by a rounding error."""
        size = np.maximum(np.abs(self.score[first]), np.abs(self.score[second]))
        return ROUNDING * size + np.finfo(np.float64).tiny

    def _probabilities(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
        """Return the probability of so large a difference between equal rows, [pairs]."""
        from scipy.special import stdtr

        variances = self._variances(first, second)
        degrees = freedom(variances, np.array([source.freedom for source in self.sources]))
        error = np.maximum(np.sqrt(variances.sum(axis=0)), self._rounding(first, second))
        probability = 2 * stdtr(degrees, -self._difference(first, second) / error)
        return np.where(self.known[first] & self.known[second], probability, 1.0)

    def _enough(
        self, first: NDArray[np.intp], second: NDArray[np.intp], error_rate: float
    ) -> Array:
        """Return the least number of repetitions that separates each pair, by bisection."""
        from scipy.special import stdtrit

        variances = self._variances(first, second)
        repetitions = np.array([source.repetitions for source in self.sources])
        of_one = variances * repetitions[:, None]
        difference = self._difference(first, second)

        def separates(count: NDArray[np.int64]) -> NDArray[np.bool_]:
            # Every scenario gets as many repetitions.
            expected = of_one / count
            degrees = freedom(expected, np.ones(len(of_one))) * (count - 1)
            error = np.maximum(np.sqrt(expected.sum(axis=0)), self._rounding(first, second))
            critical = stdtrit(degrees, 1 - error_rate / 2) + stdtrit(degrees, POWER)
            return np.asarray(difference / error >= critical)

        low = np.full(len(first), 1, dtype=np.int64)
        high = np.full(len(first), MOST_REPETITIONS, dtype=np.int64)
        possible = separates(high) & self.known[first] & self.known[second]
        possible &= (variances[repetitions < 2] == 0).all(axis=0)
        while (high - low > 1).any():
            middle = np.maximum((low + high) // 2, 2)
            enough = separates(middle)
            high, low = np.where(enough, middle, high), np.where(enough, low, middle)
        return np.where(possible, high, np.nan)


def _holm(probabilities: Array) -> NDArray[np.bool_]:
    """Return which hypotheses of equality Holm's method rejects."""
    order = np.argsort(probabilities, kind="stable")
    left = np.arange(len(order), 0, -1)
    fails = np.flatnonzero(probabilities[order] > FAMILY_WISE_ERROR / left)
    rejected = np.zeros(len(order), dtype=np.bool_)
    rejected[order[: fails[0] if len(fails) else len(order)]] = True
    return rejected

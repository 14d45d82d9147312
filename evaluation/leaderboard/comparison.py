"""Scores, intervals, ranks and ties of rows, from their observations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.differences import Differences
from evaluation.leaderboard.interval import intervals
from evaluation.leaderboard.measure import Measure
from evaluation.leaderboard.observations import Array, Runs, value
from evaluation.leaderboard.scatter import scatters
from evaluation.leaderboard.shared_ranks import shared_ranks
from evaluation.leaderboard.ties import SMALLEST_INTERESTING, Tie


@dataclass(frozen=True)
class Comparison:
    """What rows reached, and which of them differ, on the scale that is shown.

    Parameters
    ----------
    score, low, high
        Scores and the ends of their 95 % intervals, [rows]; infinite or 0 where not known.
    rank
        1 + the number of rows that are significantly better, [rows].
    repetitions
        Independent repetitions of each scenario, the fewest, by row.
    separated
        Which pairs differ, [rows, rows].
    to_separate
        Repetitions that would separate a pair, [rows, rows]; not a number where not known.
    """

    score: Array
    low: Array
    high: Array
    rank: NDArray[np.int64]
    known: NDArray[np.bool_]
    repetitions: list[int]
    separated: NDArray[np.bool_]
    to_separate: Array

    def interval(self, row: int) -> tuple[float, float] | None:
        """Return the 95 % interval of a row; None where it is not known."""
        return (float(self.low[row]), float(self.high[row])) if self.known[row] else None

    def ties(self, names: Sequence[str], dispatchers: Sequence[str]) -> list[Tie]:
        """Return the pairs that are not separated, the largest difference first."""
        rows = list(zip(names, dispatchers, strict=True))
        ties = []
        for first, second in zip(*np.nonzero(np.triu(~self.separated, 1)), strict=True):
            # Equal scores go by name, so that the order of records does not matter.
            better, other = sorted(
                (int(first), int(second)), key=lambda at: (-self.score[at], rows[at])
            )
            difference = _saved(float(self.score[better]), float(self.score[other]))
            count = self.to_separate[better, other]
            interesting = difference >= SMALLEST_INTERESTING and math.isfinite(count)
            ties.append(
                Tie((rows[better], rows[other]), difference, int(count) if interesting else None)
            )
        return sorted(ties, key=lambda tie: (-tie.difference, tie.rows))


def compare_rows(rows: Sequence[Runs], measure: Measure) -> Comparison:
    """Return scores, intervals, ranks and ties.

    Parameters
    ----------
    rows
        One for each row.
    measure
        Score that ranks.
    """
    # Ranks do not depend on the scale: it keeps the order.
    score = np.array([value(runs) for runs in rows])
    sources, known = scatters(rows, follow=measure.follow)
    low, high = intervals(score, sources, known)
    differences = Differences(score, sources, known)
    separated = differences.separated()
    return Comparison(
        measure.scale(score),
        measure.scale(low),
        measure.scale(high),
        shared_ranks(score, separated),
        known,
        [min(len(traces) for traces in runs.values()) for runs in rows],
        separated,
        differences.repetitions_to_separate(separated),
    )


def _saved(better: float, other: float) -> float:
    """Return the share of the other's step time that the better row saves."""
    return 1 - other / better if better > 0 else 0.0

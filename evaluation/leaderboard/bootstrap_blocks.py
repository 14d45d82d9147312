"""What rows are made of: for each scenario and trace the numbers of every run, block by block."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.comparable import Cell, cell
from evaluation.leaderboard.measures import Measure

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Blocks:
    """Runs of one candidate on one trace.

    Parameters
    ----------
    numerator, denominator
        [runs, blocks]; several runs where the candidate draws lots.
    """

    numerator: Array
    denominator: Array

    @property
    def value(self) -> float:
        """The score: one sum over the other."""
        return float(self.numerator.sum() / self.denominator.sum())


#: Scenario to its traces to what one candidate did there.
Runs = dict[str, dict[Cell, Blocks]]


def blocks(records: Iterable[dict[str, Any]], measure: Measure) -> Runs:
    """Return the numbers of one candidate, its runs in the order of their seeds."""
    found: dict[str, dict[Cell, list[tuple[Array, Array]]]] = defaultdict(lambda: defaultdict(list))
    for record in sorted(records, key=lambda record: record.get("seed") or 0):
        place = cell(record)
        found[place.scenario][place].append(measure.parts(record))
    return {
        scenario: {
            place: Blocks(np.stack([run[0] for run in runs]), np.stack([run[1] for run in runs]))
            for place, runs in cells.items()
        }
        for scenario, cells in found.items()
    }


def value(runs: Runs) -> float:
    """Return the score of a row: the mean over scenarios of sums over all their traces and runs."""
    return float(np.mean([_ratio(cells.values()) for cells in runs.values()]))


def _ratio(cells: Iterable[Blocks]) -> float:
    parts = list(cells)
    # runs differ in number by trace only where some failed to finish: each trace weighs the same
    above = sum(float(one.numerator.sum()) / len(one.numerator) for one in parts)
    below = sum(float(one.denominator.sum()) / len(one.denominator) for one in parts)
    return above / below

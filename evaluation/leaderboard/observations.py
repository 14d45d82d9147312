"""What scores are made of: the numbers of every run, by scenario and trace."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.measure import Parts
from evaluation.records.identity import Identity, Record, ScenarioTrace

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Observations:
    """Runs of one candidate on one trace.

    Parameters
    ----------
    numerator, denominator
        [runs, observations]; several runs where the candidate is random.
    """

    numerator: Array
    denominator: Array

    @property
    def value(self) -> float:
        """The score: one sum over the other."""
        return float(self.numerator.sum() / self.denominator.sum())


#: Scenario to its traces to the observations of one candidate there.
Runs = dict[str, dict[ScenarioTrace, Observations]]


def gather(runs: Iterable[tuple[Record, Parts]], identity: Identity) -> Runs:
    """Return the observations of one candidate, its runs in the order of their seeds."""
    by_trace: dict[ScenarioTrace, list[Parts]] = defaultdict(list)
    for record, own in sorted(runs, key=lambda run: run[0].get("seed") or 0):
        by_trace[identity.trace(record)].append(own)
    gathered: Runs = defaultdict(dict)
    for trace, parts in by_trace.items():
        above, below = (np.stack(each) for each in zip(*parts, strict=True))
        gathered[trace.scenario][trace] = Observations(above, below)
    return dict(gathered)


def value(runs: Runs) -> float:
    """Return the score of a row: the mean over scenarios of sums over all their traces and runs."""
    return float(np.mean([_ratio(traces.values()) for traces in runs.values()]))


def _ratio(traces: Iterable[Observations]) -> float:
    parts = list(traces)
    # Traces have different numbers of runs only where some failed to finish: each trace weighs the
    # same.
    above = sum(float(part.numerator.sum()) / len(part.numerator) for part in parts)
    below = sum(float(part.denominator.sum()) / len(part.denominator) for part in parts)
    return above / below

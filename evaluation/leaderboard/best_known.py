"""How far each row is from the best known, by family of scenarios."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evaluation.leaderboard.observations import Array, Runs
from evaluation.records.identity import ScenarioTrace


def gaps(
    rows: Sequence[Runs],
    family_of: Mapping[str, str],
    scale: Callable[[Array], Array] = lambda value: value,
) -> list[dict[str, float]]:
    """Return for each row the mean gap to the best known by family, a fraction of the best.

    The best known of a trace is the highest score that any of the rows has there, under whatever
    dispatcher. A row that is the best everywhere has gap 0.

    Parameters
    ----------
    rows
        One for each row.
    family_of
        Scenario to its family.
    scale
        From scores of observations to scores as they are shown.
    """
    best: dict[ScenarioTrace, float] = {}
    scores = [_scores(runs, scale) for runs in rows]
    for by_trace in scores:
        for trace, score in by_trace.items():
            best[trace] = max(best.get(trace, -np.inf), score)
    rows_of_gaps = []
    for by_trace in scores:
        by_family: dict[str, list[float]] = defaultdict(list)
        for trace, score in by_trace.items():
            by_family[family_of[trace.scenario]].append(1 - score / best[trace])
        rows_of_gaps.append(
            {family: float(np.mean(values)) for family, values in by_family.items()}
        )
    return rows_of_gaps


def _scores(runs: Runs, scale: Callable[[Array], Array]) -> dict[ScenarioTrace, float]:
    return {
        trace: float(scale(np.asarray(observations.value)))
        for traces in runs.values()
        for trace, observations in traces.items()
    }

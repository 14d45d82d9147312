"""Rows of a ranking: one candidate under one dispatcher each."""

import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.leaderboard import pareto
from evaluation.leaderboard.best_known import gaps
from evaluation.leaderboard.comparison import compare_rows
from evaluation.leaderboard.measure import Measure, Parts
from evaluation.leaderboard.observations import Array, gather
from evaluation.leaderboard.ties import Tie, most_repetitions
from evaluation.records.identity import CandidateId, Record

#: Records of one candidate under one dispatcher, each with what its score is made of.
ScoredRuns = list[tuple[Record, Parts]]


@dataclass(frozen=True)
class RankingRow:
    """One candidate, under one dispatcher.

    Parameters
    ----------
    rank
        1 + the number of rows that are significantly better.
    name, dispatcher
        Name of the candidate; empty dispatcher where none takes part.
    score
        Score that ranks, more being better: a mean over scenarios.
    interval
        95 % confidence interval (low, high) of the score; None where a scenario has a single
        observation. Intervals of rows may overlap though their paired difference is separated.
    repetitions
        Independent repetitions of each scenario, the fewest; 1 where a scenario ran on one trace.
    within_recording
        Whether a scenario ran on one trace, so that the interval says nothing about other traffic.
    repetitions_to_separate
        With how many repetitions of each scenario the row would be separated from all rows that it
        is tied with and that differ by at least 0.5 % of step time; None if there are no such rows,
        or the number is not known.
    scores
        All scores of the records, means over runs and then scenarios; ``moved_bytes`` is a sum.
        None where a run has no value.
    gaps
        Family of scenarios to the mean gap to the best known there, a fraction.
    gap
        Mean of the gaps.
    cost_ratio
        Solve time over that of the reference routine, geometric mean over scenarios; None where it
        was not measured.
    solve_s
        Median of the measured seconds of a call.
    fronts
        Names of the Pareto fronts that the row is on: "quality-cost", "quality-bytes", "all".
    seeds
        Seeds of the runs.
    """

    rank: int
    name: str
    dispatcher: str
    score: float
    interval: tuple[float, float] | None
    repetitions: int
    within_recording: bool
    repetitions_to_separate: int | None
    scores: dict[str, float | None]
    gaps: dict[str, float]
    gap: float
    cost_ratio: float | None
    solve_s: float | None
    fronts: tuple[str, ...]
    seeds: tuple[int, ...]


def ranked_rows(
    runs: Mapping[CandidateId, ScoredRuns], measure: Measure
) -> tuple[list[RankingRow], list[Tie]]:
    """Return the rows of candidates that ran on all traces of their dispatcher, and their ties.

    Rows are in the order of their scores, the best first.
    """
    if not runs:
        return [], []
    observed = [gather(own, measure.identity) for own in runs.values()]
    comparison = compare_rows(observed, measure)
    records = [[record for record, _ in own] for own in runs.values()]
    gaps_by_family = gaps(observed, _families(records), measure.scale)
    scores = [_mean_scores(own) for own in records]
    costs = [_cost_ratio(own) for own in records]
    fronts = _fronts(comparison.score, costs, [means.get("moved_bytes") for means in scores])
    names = _distinct_names(list(runs))
    ties = comparison.ties(names, [candidate.dispatcher for candidate in runs])
    rows = [
        RankingRow(
            rank=int(comparison.rank[at]),
            name=names[at],
            dispatcher=candidate.dispatcher,
            score=float(comparison.score[at]),
            interval=comparison.interval(at),
            repetitions=comparison.repetitions[at],
            within_recording=comparison.repetitions[at] < 2,
            repetitions_to_separate=most_repetitions(
                tie for tie in ties if (names[at], candidate.dispatcher) in tie.rows
            ),
            scores=scores[at],
            gaps=gaps_by_family[at],
            gap=statistics.fmean(gaps_by_family[at].values()),
            cost_ratio=costs[at],
            solve_s=_solve_s(records[at]),
            fronts=fronts[at],
            seeds=tuple(sorted({int(run.get("seed") or 0) for run in records[at]})),
        )
        for at, candidate in enumerate(runs)
    ]
    return sorted(rows, key=lambda row: (-row.score, row.rank, row.name, row.dispatcher)), ties


def _families(records: Sequence[Sequence[Record]]) -> dict[str, str]:
    return {
        run["scenario"]["id"]: run.get("family") or run["scenario"]["id"]
        for own in records
        for run in own
    }


def _distinct_names(candidates: Sequence[CandidateId]) -> list[str]:
    """Return a name for each; two of one name and dispatcher say what else differs."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    for candidate in candidates:
        count[candidate.name, candidate.dispatcher] += 1
    return [
        candidate.name
        if count[candidate.name, candidate.dispatcher] == 1
        else f"{candidate.name} ({candidate.parameters or candidate.file[:8]})"
        for candidate in candidates
    ]


def _mean_scores(runs: list[Record]) -> dict[str, float | None]:
    """Return means over the runs of a scenario, then over scenarios; moved bytes add up."""
    by_scenario: dict[str, list[dict[str, float | None]]] = defaultdict(list)
    for run in runs:
        by_scenario[run["scenario"]["id"]].append(run["scores"])
    means = [_means(scores) for scores in by_scenario.values()]
    overall = _means(means)
    if overall.get("moved_bytes") is not None:
        overall["moved_bytes"] = math.fsum(mean["moved_bytes"] or 0.0 for mean in means)
    return overall


def _means(scores: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Return means of the scores that all have; None where one of them is not known."""
    shared = [key for key in scores[0] if all(key in run for run in scores)]
    means: dict[str, float | None] = {}
    for key in shared:
        values = [run[key] for run in scores]
        known = [value for value in values if value is not None]
        means[key] = statistics.fmean(known) if len(known) == len(values) else None
    return means


def _cost_ratio(runs: list[Record]) -> float | None:
    by_scenario: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if ratio := _measured(run.get("cost"), "ratio"):
            by_scenario[run["scenario"]["id"]].append(ratio)
    if not by_scenario:
        return None
    return statistics.geometric_mean(statistics.median(each) for each in by_scenario.values())


def _solve_s(runs: list[Record]) -> float | None:
    keys = ("solve_s_median", "forecast_s_median")
    times = [_measured(run.get("wall"), key) for run in runs for key in keys]
    known = [time for time in times if time is not None]
    return statistics.median(known) if known else None


def _measured(table: Any, key: str) -> float | None:
    """Return a measured number; None where a record, from anywhere, does not hold it."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, int | float) and 0 <= value < math.inf else None


def _fronts(
    score: Array, costs: list[float | None], moved: list[float | None]
) -> list[tuple[str, ...]]:
    """Return for each row the names of the Pareto fronts that it is on."""
    # a front is made of costs, of which less is better
    quality = -np.asarray(score)
    cost, moved_bytes = _with_nan(costs), _with_nan(moved)
    fronts = {"quality-cost": pareto.front(quality, cost)}
    if not np.isnan(moved_bytes).all():
        fronts["quality-bytes"] = pareto.front(quality, moved_bytes)
        fronts["all"] = pareto.front(quality, cost, moved_bytes)
    return [tuple(name for name, on in fronts.items() if on[at]) for at in range(len(quality))]


def _with_nan(values: list[float | None]) -> Array:
    return np.array([np.nan if value is None else value for value in values])

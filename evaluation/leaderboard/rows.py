"""Rows of a ranking: one candidate under one dispatcher each."""

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.leaderboard import pareto
from evaluation.leaderboard.best_known import gaps
from evaluation.leaderboard.interval import Intervals, intervals
from evaluation.leaderboard.measure import Measure, Parts
from evaluation.leaderboard.observations import Array, Runs, gather
from evaluation.leaderboard.shared_ranks import shared_ranks
from evaluation.records.identity import CandidateId, Record

#: Records of one candidate under one dispatcher, each with what its score is made of.
ScoredRuns = list[tuple[Record, Parts]]


@dataclass(frozen=True)
class RankingRow:
    """One candidate, under one dispatcher.

    Parameters
    ----------
    rank
        From 1; shared by rows whose intervals overlap that of the best of them.
    name, dispatcher
        Name of the candidate; empty dispatcher where none takes part.
    score
        Score that ranks, more being better: a mean over scenarios.
    interval, alone
        95 % confidence intervals (low, high) of the score, for comparing rows and of the row alone;
        None where a scenario has a single observation.
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
    alone: tuple[float, float] | None
    scores: dict[str, float | None]
    gaps: dict[str, float]
    gap: float
    cost_ratio: float | None
    solve_s: float | None
    fronts: tuple[str, ...]
    seeds: tuple[int, ...]


def ranked_rows(runs: Mapping[CandidateId, ScoredRuns], measure: Measure) -> list[RankingRow]:
    """Return the rows of candidates that ran on all traces of their dispatcher, the best first."""
    if not runs:
        return []
    observed = [gather(own, measure.identity) for own in runs.values()]
    # Intervals and ranks do not depend on the scale: it keeps the order.
    estimates = _intervals(observed, measure)
    ranks = shared_ranks(estimates.low, estimates.high, estimates.score)
    shown = _scaled(estimates, measure)
    records = [[record for record, _ in own] for own in runs.values()]
    gaps_by_family = gaps(observed, _families(records), measure.scale)
    scores = [_mean_scores(own) for own in records]
    costs = [_cost_ratio(own) for own in records]
    fronts = _fronts(shown.score, costs, [means.get("moved_bytes") for means in scores])
    names = _distinct_names(list(runs))
    rows = [
        RankingRow(
            rank=int(ranks[at]),
            name=names[at],
            dispatcher=candidate.dispatcher,
            score=float(shown.score[at]),
            interval=_ends(estimates.low[at], shown.low[at], shown.high[at]),
            alone=_ends(estimates.alone_low[at], shown.alone_low[at], shown.alone_high[at]),
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
    return sorted(rows, key=lambda row: (-row.score, row.rank, row.name, row.dispatcher))


def _intervals(observed: list[Runs], measure: Measure) -> Intervals:
    """Return intervals; rows that share all traces get the same bootstrap samples.

    Rows under one dispatcher may have scenarios that those under another do not have.
    """
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for at, runs in enumerate(observed):
        alike[tuple((name, *traces) for name, traces in sorted(runs.items()))].append(at)
    fields = [field.name for field in dataclasses.fields(Intervals)]
    columns = {name: np.empty(len(observed)) for name in fields}
    for places in alike.values():
        rows = [dict(sorted(observed[at].items())) for at in places]
        part = intervals(rows, follow=measure.follow, is_paired=measure.is_paired)
        for name in fields:
            columns[name][places] = getattr(part, name)
    return Intervals(**columns)


def _scaled(estimates: Intervals, measure: Measure) -> Intervals:
    return Intervals(**{name: measure.scale(values) for name, values in vars(estimates).items()})


def _ends(unscaled: float, low: float, high: float) -> tuple[float, float] | None:
    return (float(low), float(high)) if math.isfinite(unscaled) else None


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

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
from evaluation.leaderboard.identity import CandidateId, Record
from evaluation.leaderboard.interval import Intervals, intervals
from evaluation.leaderboard.measure import Measure, Parts
from evaluation.leaderboard.observations import Array, Runs, gather
from evaluation.leaderboard.shared_ranks import shared_ranks

#: Records of one candidate under one dispatcher, each with what its score is made of.
ScoredRuns = list[tuple[Record, Parts]]


@dataclass(frozen=True)
class Row:
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


def ranked_rows(runs: Mapping[CandidateId, ScoredRuns], measure: Measure) -> list[Row]:
    """Return the rows of candidates that ran on all traces of their dispatcher, the best first."""
    if not runs:
        return []
    observed = [gather(own, measure.identity) for own in runs.values()]
    # Intervals and ranks do not depend on the scale: it keeps the order.
    found = _intervals(observed, measure)
    ranks = shared_ranks(found.low, found.high, found.score)
    shown = _scaled(found, measure)
    records = [[record for record, _ in own] for own in runs.values()]
    behind = gaps(observed, _families(records), measure.scale)
    scores = [_mean_scores(own) for own in records]
    costs = [_cost_ratio(own) for own in records]
    fronts = _fronts(shown.score, costs, [means.get("moved_bytes") for means in scores])
    names = _names(list(runs))
    rows = [
        Row(
            rank=int(ranks[at]),
            name=names[at],
            dispatcher=candidate.dispatcher,
            score=float(shown.score[at]),
            interval=_ends(found.low[at], shown.low[at], shown.high[at]),
            alone=_ends(found.alone_low[at], shown.alone_low[at], shown.alone_high[at]),
            scores=scores[at],
            gaps=behind[at],
            gap=statistics.fmean(behind[at].values()),
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


def _scaled(found: Intervals, measure: Measure) -> Intervals:
    return Intervals(**{name: measure.scale(ends) for name, ends in vars(found).items()})


def _ends(unscaled: float, low: float, high: float) -> tuple[float, float] | None:
    return (float(low), float(high)) if math.isfinite(unscaled) else None


def _families(records: Sequence[Sequence[Record]]) -> dict[str, str]:
    return {
        run["scenario"]["id"]: run.get("family") or run["scenario"]["id"]
        for own in records
        for run in own
    }


def _names(candidates: Sequence[CandidateId]) -> list[str]:
    """Return a name for each; two of one name and dispatcher say what else differs."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    for one in candidates:
        count[one.name, one.dispatcher] += 1
    return [
        one.name
        if count[one.name, one.dispatcher] == 1
        else f"{one.name} ({one.parameters or one.file[:8]})"
        for one in candidates
    ]


def _mean_scores(runs: list[Record]) -> dict[str, float | None]:
    """Return means over the runs of a scenario, then over scenarios; moved bytes add up."""
    by_scenario: dict[str, list[dict[str, float | None]]] = defaultdict(list)
    for run in runs:
        by_scenario[run["scenario"]["id"]].append(run["scores"])
    means = [_means(scores) for scores in by_scenario.values()]
    whole = _means(means)
    if whole.get("moved_bytes") is not None:
        whole["moved_bytes"] = math.fsum(one["moved_bytes"] or 0.0 for one in means)
    return whole


def _means(scores: list[dict[str, float | None]]) -> dict[str, float | None]:
    """Return means of the scores that all have; None where one of them is not known."""
    shared = [key for key in scores[0] if all(key in one for one in scores)]
    means: dict[str, float | None] = {}
    for key in shared:
        values = [one[key] for one in scores]
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
    quality = -np.asarray(score)
    cost = np.array([np.nan if one is None else one for one in costs])
    size = np.array([np.nan if one is None else one for one in moved])
    on = {"quality-cost": pareto.front(quality, cost)}
    if not np.isnan(size).all():
        on["quality-bytes"] = pareto.front(quality, size)
        on["all"] = pareto.front(quality, cost, size)
    return [tuple(name for name, there in on.items() if there[at]) for at in range(len(quality))]

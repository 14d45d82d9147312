"""The standing of a suite: ranked rows, what failed, what stands apart; from records alone."""

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evaluation.leaderboard import pareto
from evaluation.leaderboard.best_known import gaps
from evaluation.leaderboard.bootstrap_blocks import blocks
from evaluation.leaderboard.comparable import Cell, Compared, Record, Who, cell, compare, sound, who
from evaluation.leaderboard.interval import Sure, sure
from evaluation.leaderboard.mean_interval import shared_ranks
from evaluation.leaderboard.measures import MEASURES


@dataclass(frozen=True)
class Row:
    """One candidate, under one dispatcher.

    Parameters
    ----------
    rank
        From 1; shared by those whose intervals meet that of the best of them.
    name, dispatcher
        Of the candidate; no dispatcher where none takes part.
    score
        What is ranked, more being better: a mean over scenarios.
    interval, alone
        95 % intervals (low, high) of it, for comparing rows and of the row by itself; None where
        nothing was measured twice.
    scores
        All scores of the records, means over runs and then scenarios; ``moved_bytes`` is a sum.
    gaps
        Family of scenarios to the mean gap to the best known there, a fraction.
    gap
        Their mean.
    cost_ratio
        Solve time over that of the reference routine, geometric mean over scenarios; None where it
        was not measured.
    solve_s
        Measured seconds of a call, median.
    fronts
        Names of the Pareto fronts that the row is on: "quality-cost", "quality-bytes", "all".
    seeds
        Seeds that it ran with.
    """

    rank: int
    name: str
    dispatcher: str
    score: float
    interval: tuple[float, float] | None
    alone: tuple[float, float] | None
    scores: dict[str, float]
    gaps: dict[str, float]
    gap: float
    cost_ratio: float | None
    solve_s: float | None
    fronts: tuple[str, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Standing:
    """What a suite's records come to.

    Parameters
    ----------
    suite, kind, measure
        Its id, kind, and the score that ranks.
    rows
        The best first.
    failures
        What failed or was infeasible, and is not scored: name, dispatcher, scenario, seed, status
        and reason.
    apart
        What does not compare, or did not run everywhere: name, dispatcher, scenario, seed, reason.
    groups
        Comparability groups: suite, scenario, trace seed, trace hash, fabric hash, and records.
    curves
        Solver to what it reaches for its budget: scenario, parameter, value, ratio, balancedness.
    """

    suite: str
    kind: str
    measure: str
    rows: list[Row]
    failures: list[dict[str, Any]] = field(default_factory=list)
    apart: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    curves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds; the keys are described in docs/leaderboard.md."""
        return dataclasses.asdict(self)


def standing(
    records: Iterable[Record], wanted: Collection[tuple[str, str]] | None = None
) -> Standing:
    """Rank records of one suite.

    A candidate that failed anywhere, or whose answer was infeasible, is not ranked.

    Parameters
    ----------
    records
        Of schema 2 and of a kind in :data:`evaluation.leaderboard.measures.MEASURES`.
    wanted
        (scenario, dispatcher) of a whole run. A candidate must have run in all scenarios of its
        dispatcher, on all of their traces, to be ranked; by default in those of the records.

    Raises
    ------
    ValueError
        If records of several kinds are mixed, or their kind has no measure.
    """
    found = list(records)
    plain = [record for record in found if "anytime" not in record]
    if not plain:
        return Standing("", "solver", MEASURES["solver"].name, [])
    kind = _kind(plain)
    measure = MEASURES[kind]
    compared = compare(plain)
    usable, unsound = sound(compared.records, measure)
    compared = dataclasses.replace(compared, records=usable, apart=[*compared.apart, *unsound])
    runs: dict[Who, list[Record]] = defaultdict(list)
    for record in compared.records:
        runs[who(record)].append(record)
    failed = _failed(runs)
    whole = _whole(compared, wanted)
    complete = {
        one: mine
        for one, mine in runs.items()
        if one not in failed and whole[one.dispatcher] <= {cell(run) for run in mine}
    }
    ranked = _rows(complete, [blocks(mine, measure) for mine in complete.values()], measure.follow)
    apart = [_about(record, reason=reason) for record, reason in compared.apart]
    for one, mine in runs.items():
        if one not in complete and one not in failed:
            places = len({cell(run) for run in mine})
            reason = f"ran on {places} of {len(whole[one.dispatcher])} traces"
            apart += [_about(run, reason=reason) for run in mine]
    failures = [
        _about(run, status=run["status"], reason=run["reason"])
        for run in compared.records
        if run["status"] != "ok"
    ]
    suite = plain[0]["suite"] if not usable else usable[0]["suite"]
    curves = _curves(record for record in found if "anytime" in record)
    return Standing(
        suite, kind, measure.name, ranked, failures, apart, _groups(compared, suite), curves
    )


def _kind(records: list[Record]) -> str:
    kinds = {record.get("kind", "solver") for record in records}
    if len(kinds) > 1 or not kinds <= set(MEASURES):
        raise ValueError(
            f"records of kind {', '.join(sorted(kinds))}: rank one kind at a time, of "
            f"{', '.join(MEASURES)}"
        )
    return str(kinds.pop())


def _failed(runs: dict[Who, list[Record]]) -> set[Who]:
    """Return who failed somewhere; what could not even be made there is known by name and file."""
    bad = {one for one, mine in runs.items() if any(run["status"] != "ok" for run in mine)}
    unmade = {one[:3] for one in bad if not one.parameters}
    return bad | {one for one in runs if one[:3] in unmade}


def _whole(compared: Compared, wanted: Collection[tuple[str, str]] | None) -> dict[str, set[Any]]:
    """Return by dispatcher the traces on which a candidate must have run."""
    whole: dict[str, set[Any]] = defaultdict(set)
    for record in compared.records:
        whole[who(record).dispatcher].add(cell(record))
    for scenario, dispatcher in wanted or ():
        if all(place.scenario != scenario for place in whole[dispatcher]):
            whole[dispatcher].add(Cell(scenario, None))
    return whole


def _rows(runs: dict[Who, list[Record]], parts: list[Any], follow: bool) -> list[Row]:
    if not runs:
        return []
    # rows under one dispatcher may have scenarios that those under another have not
    measured = _sure(parts, follow)
    ranks = shared_ranks(measured.low, measured.high, measured.score)
    family_of = {
        run["scenario"]["id"]: run.get("family") or run["scenario"]["id"]
        for mine in runs.values()
        for run in mine
    }
    behind = gaps(parts, family_of)
    scores = [_mean(mine) for mine in runs.values()]
    costs = [_cost_ratio(mine) for mine in runs.values()]
    fronts = _fronts(measured.score, costs, [one.get("moved_bytes") for one in scores])
    names = _names(list(runs))
    rows = [
        Row(
            rank=int(ranks[number]),
            name=names[number],
            dispatcher=one.dispatcher,
            score=float(measured.score[number]),
            interval=_pair(measured.low[number], measured.high[number]),
            alone=_pair(measured.alone_low[number], measured.alone_high[number]),
            scores=scores[number],
            gaps=behind[number],
            gap=statistics.fmean(behind[number].values()),
            cost_ratio=costs[number],
            solve_s=_solve_s(mine),
            fronts=fronts[number],
            seeds=tuple(sorted({int(run.get("seed") or 0) for run in mine})),
        )
        for number, (one, mine) in enumerate(runs.items())
    ]
    return sorted(rows, key=lambda row: (-row.score, row.name, row.dispatcher))


def _sure(parts: list[Any], follow: bool) -> Sure:
    """Return intervals; rows that share all traces are drawn together."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for number, runs in enumerate(parts):
        alike[tuple((name, *cells) for name, cells in sorted(runs.items()))].append(number)
    fields = [field.name for field in dataclasses.fields(Sure)]
    columns = {name: np.empty(len(parts)) for name in fields}
    for numbers in alike.values():
        shared = [{name: parts[n][name] for name in sorted(parts[n])} for n in numbers]
        found = sure(shared, follow=follow)
        for name in fields:
            columns[name][numbers] = getattr(found, name)
    return Sure(**columns)


def _names(found: Sequence[Who]) -> list[str]:
    """Return a name for each; two of one name and dispatcher say what else differs."""
    count: dict[tuple[str, str], int] = defaultdict(int)
    for one in found:
        count[one.name, one.dispatcher] += 1
    return [
        one.name
        if count[one.name, one.dispatcher] == 1
        else f"{one.name} ({one.parameters or one.file[:8]})"
        for one in found
    ]


def _mean(runs: list[Record]) -> dict[str, float]:
    """Return means over the runs of a scenario, then over scenarios; moved bytes add up."""
    by_scenario: dict[str, list[dict[str, float]]] = defaultdict(list)
    for run in runs:
        by_scenario[run["scenario"]["id"]].append(run["scores"])
    means = [
        {key: statistics.fmean(one[key] for one in scores) for key in _in_all(scores)}
        for scores in by_scenario.values()
    ]
    whole = {key: statistics.fmean(one[key] for one in means) for key in _in_all(means)}
    if "moved_bytes" in whole:
        whole["moved_bytes"] = math.fsum(one["moved_bytes"] for one in means)
    return whole


def _in_all(scores: list[dict[str, float]]) -> list[str]:
    return [key for key in scores[0] if all(key in one for one in scores)]


def _cost_ratio(runs: list[Record]) -> float | None:
    by_scenario: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if ratio := run.get("cost", {}).get("ratio"):
            by_scenario[run["scenario"]["id"]].append(ratio)
    if not by_scenario:
        return None
    return statistics.geometric_mean(statistics.median(each) for each in by_scenario.values())


def _solve_s(runs: list[Record]) -> float | None:
    keys = ("solve_s_median", "forecast_s_median")
    times = [run["wall"][key] for run in runs for key in keys if key in run.get("wall", {})]
    return statistics.median(times) if times else None


def _fronts(
    score: Any, costs: list[float | None], moved: list[float | None]
) -> list[tuple[str, ...]]:
    quality = -np.asarray(score)
    cost = np.array([np.nan if one is None else one for one in costs])
    size = np.array([np.nan if one is None else one for one in moved])
    on = {"quality-cost": pareto.front(quality, cost)}
    if not np.isnan(size).all():
        on["quality-bytes"] = pareto.front(quality, size)
        on["all"] = pareto.front(quality, cost, size)
    return [tuple(name for name, there in on.items() if there[n]) for n in range(len(quality))]


def _pair(low: float, high: float) -> tuple[float, float] | None:
    return (float(low), float(high)) if math.isfinite(low) and math.isfinite(high) else None


def _about(record: Record, **more: Any) -> dict[str, Any]:
    one = who(record)
    return {
        "name": one.name,
        "dispatcher": one.dispatcher,
        "scenario": record["scenario"]["id"],
        "seed": record.get("seed"),
        **more,
    }


def _groups(compared: Compared, suite: str) -> list[dict[str, Any]]:
    count: dict[Any, int] = defaultdict(int)
    for record in compared.records:
        count[cell(record)] += 1
    return [
        {
            "suite": suite,
            "scenario": place.scenario,
            "trace_seed": place.trace_seed,
            "trace_hash": hashes[0],
            "fabric_hash": hashes[1],
            "records": count[place],
        }
        for place, hashes in compared.groups.items()
    ]


def _curves(records: Iterable[Record]) -> dict[str, list[dict[str, Any]]]:
    curves: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record["status"] == "ok":
            for point in record["cost"]["curve"]:
                place = {"scenario": record["scenario"]["id"], "seed": record["seed"]}
                curves[record["solver"]].append({**place, **point})
    for points in curves.values():
        points.sort(key=lambda one: (one["scenario"], one["seed"], one["parameter"], one["value"]))
    return dict(curves)

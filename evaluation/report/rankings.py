"""Records as tables of ranked rows: one a suite and scenario, groups that do not compare apart."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from evaluation.leaderboard import Standing as HouseStanding
from evaluation.leaderboard import standing
from evaluation.leaderboard.comparable import Cell, cell, compare, sound
from evaluation.leaderboard.mean_interval import bootstrap_interval, shared_ranks
from evaluation.leaderboard.measures import MEASURES
from evaluation.report import record_select
from evaluation.report.kinds import COST, Kind, name_of, score
from evaluation.report.panel import Record
from evaluation.report.relative_to_reference import ranked_by_stage

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One candidate under one variant.

    Parameters
    ----------
    rank
        From 1; those that cannot be told apart share one.
    shared
        Whether somebody else has the same rank.
    candidate, variant
        Who, and under which dispatcher or stage.
    scores
        Means: over seeds, then over scenarios.
    interval
        Of the score that ranks, 95 %; None where nothing was measured twice.
    """

    rank: int
    shared: bool
    candidate: str
    variant: str
    scores: dict[str, float]
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Failure:
    """A candidate that is not scored, and why."""

    candidate: str
    variant: str
    scenario: str
    status: str
    reason: str


@dataclass(frozen=True)
class Standing:
    """A table.

    Parameters
    ----------
    scenario
        Its id; empty for the mean over all of the suite.
    rows
        The best first.
    """

    scenario: str
    rows: tuple[Row, ...]


def split(records: list[Record]) -> tuple[list[Record], list[tuple[str, list[Record]]]]:
    """Return the records of one suite that compare, and those of other groups with the reason.

    Schedulers of one name at two stages are two candidates.
    """
    by_stage: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_stage[str(record.get("stage") or "")].append(record)
    main: list[Record] = []
    apart: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for alike in by_stage.values():
        compared = compare(alike)
        kept, others = compared.records, compared.apart
        measure = MEASURES.get(name_of(alike[0]))
        if measure is not None:
            kept, unsound = sound(kept, measure)
            others = [*others, *unsound]
        main += kept
        for record, reason in others:
            apart[record["scenario"]["id"], reason].append(record)
    return main, [
        (f"{scenario}: {reason}", mine) for (scenario, reason), mine in sorted(apart.items())
    ]


def standings(records: list[Record], kind: Kind) -> list[Standing]:
    """Return the table of means over scenarios, and one for each scenario, of comparable records.

    A candidate with a failure under a variant has no row there in the mean; nor one that did not
    run in all of its scenarios.
    """
    failed = {_who(one) for one in records if one["status"] != "ok"}
    names = sorted({one["scenario"]["id"] for one in records})
    scored = [one for one in records if _who(one) not in failed]
    found = [Standing("", _rows(scored, kind))]
    if len(names) > 1:
        for name in names:
            mine = [one for one in records if one["scenario"]["id"] == name]
            broken = {_who(one) for one in mine if one["status"] != "ok"}
            found.append(
                Standing(name, _rows([one for one in mine if _who(one) not in broken], kind))
            )
    return found


def failures(records: list[Record]) -> list[Failure]:
    """Return who is not scored where, each once, in order of their names."""
    found = {
        Failure(
            *_who(one), one["scenario"]["id"], one["status"], str(one.get("reason") or "no reason")
        )
        for one in records
        if one["status"] != "ok"
    }
    return sorted(found, key=lambda one: (one.candidate, one.variant, one.scenario, one.reason))


def incomplete(records: list[Record]) -> list[str]:
    """Return who has no mean because a trace is missing; failures say so for themselves."""
    failed = {_who(one) for one in records if one["status"] != "ok"}
    wanted: dict[str, set[Cell]] = defaultdict(set)
    ran: dict[Pair, set[Cell]] = defaultdict(set)
    for one in records:
        wanted[record_select.variant_of(one)].add(cell(one))
        ran[_who(one)].add(cell(one))
    return [
        f"{' · '.join(part for part in pair if part)} ran on {len(mine)} of "
        f"{len(wanted[pair[1]])} traces"
        for pair, mine in sorted(ran.items())
        if pair not in failed and mine != wanted[pair[1]]
    ]


def _who(record: Record) -> Pair:
    return record["candidate"], record_select.variant_of(record)


def _rows(records: list[Record], kind: Kind) -> tuple[Row, ...]:
    """Return ranked rows by the house's standing, or by means where it has none for them.

    It has none for schedulers, and records that somebody else wrote may lack what it draws from.
    """
    if kind.primary.within_variant and (staged := _staged_rows(records)):
        return staged
    found = _standing(records)
    if found is None or not found.rows:
        return _plain_rows(records, kind)
    ranks = [row.rank for row in found.rows]
    return tuple(
        Row(
            row.rank,
            ranks.count(row.rank) > 1,
            row.name,
            row.dispatcher,
            row.scores
            | {found.measure: row.score}
            | ({} if row.cost_ratio is None else {COST.key: row.cost_ratio}),
            row.interval,
        )
        for row in found.rows
    )


def _staged_rows(records: list[Record]) -> tuple[Row, ...]:
    """Return schedulers beside their stage's reference; ranks are of the stage."""
    try:
        found = ranked_by_stage(records)
    except (ValueError, LookupError, TypeError, ArithmeticError):
        return ()
    ranks = [(stage, row.rank) for _, stage, row in found]
    return tuple(
        Row(
            row.rank,
            ranks.count((stage, row.rank)) > 1,
            candidate,
            stage,
            {key: value for key, value in row.means.items() if value is not None}
            | {"goodput_ratio": row.ratio},
            (row.low, row.high) if 0 < row.low < row.high < np.inf else None,
        )
        for candidate, stage, row in found
    )


def _standing(records: list[Record]) -> HouseStanding | None:
    """Return the house's standing; None where it has none for such records."""
    if not records or name_of(records[0]) not in MEASURES:
        return None
    try:
        return standing([_named(one) for one in records])
    except (ValueError, LookupError, TypeError, ArithmeticError):
        return None


def _named(record: Record) -> Record:
    """Return a record that bears the label of its candidate, by which rows find their pages."""
    field = "forecaster" if record.get("kind") == "forecast" else "solver"
    return {**record, field: record["candidate"]}


def _plain_rows(records: list[Record], kind: Kind) -> tuple[Row, ...]:
    keys = tuple(column.key for column in kind.columns)
    primary = kind.primary
    table = {
        pair: row
        for pair, row in record_select.over_scenarios(records, keys).items()
        if primary.key in row
    }
    if not table:
        return ()
    samples: dict[Pair, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in records:
        value = score(one, primary.key)
        if value is not None:
            samples[_who(one)][one["scenario"]["id"]].append(value)
    intervals = {pair: _interval(samples[pair]) for pair in table}
    pairs = list(table)
    estimate = np.array([primary.better * table[pair][primary.key] for pair in pairs])
    ends = (
        np.array([intervals[pair] or (table[pair][primary.key],) * 2 for pair in pairs])
        * primary.better
    )
    ranks = shared_ranks(ends.min(axis=1), ends.max(axis=1), estimate).tolist()
    rows = [
        Row(rank, ranks.count(rank) > 1, *pair, table[pair], intervals[pair])
        for rank, pair in zip(ranks, pairs, strict=True)
    ]
    best = primary.better
    return tuple(
        sorted(rows, key=lambda row: (-best * row.scores[primary.key], row.candidate, row.variant))
    )


def _interval(samples: dict[str, list[float]]) -> tuple[float, float] | None:
    """Return the interval of the mean over scenarios, drawn within each; None of single runs."""
    if min(map(len, samples.values())) < 2 or len({len(one) for one in samples.values()}) > 1:
        return None
    values = np.concatenate([np.array(one) for one in samples.values()])
    strata = np.repeat(np.arange(len(samples)), len(next(iter(samples.values()))))
    low, high = bootstrap_interval(values, strata=strata)
    middle = float(values.mean())
    return min(float(low), middle), max(float(high), middle)

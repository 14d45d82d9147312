"""How records are shown: as their kind says, or plainly if this podlab does not know the kind."""

import dataclasses
from typing import Any

from evaluation.kinds import KINDS, name_of, named
from evaluation.kinds.columns import COST
from evaluation.kinds.kind import Display
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import RatioToReference
from evaluation.report.panel import Record


def display_of(record: Record) -> Display:
    """Return how the record's kind is shown.

    A kind that is not known has solvers or forecasters, and no columns but a missing score.
    """
    name = name_of(record)
    if isinstance(name, str) and name in KINDS:
        return named(name).display
    field = "solver" if "solver" in record else "forecaster"
    variant = next((key for key in ("dispatcher", "stage") if key in record), "")
    nothing = Column("score", "score", "No score is recorded")
    return Display("candidate", field, variant, (nothing,), "balancedness_next")


def display_of_all(records: list[Record]) -> Display:
    """Return how records of one kind are shown, without columns that none of them fills.

    Of a kind that is not known all scores are shown by name; the first one in the order of the
    record ranks, and more is taken to be better.
    """
    display = display_of(records[0])
    if name_of(records[0]) in KINDS:
        return _filled(display, records)
    keys = dict.fromkeys(key for one in records for key in one.get("scores", {}))
    columns = tuple(Column(key, key.replace("_", " "), key, "{:,.4g}") for key in keys)
    return dataclasses.replace(display, columns=columns or display.columns)


def _filled(display: Display, records: list[Record]) -> Display:
    """Return the display without columns that no record fills, but for the first.

    Schedulers without a reference are ranked by goodput itself.
    """
    first, *others = display.columns
    kept = [one for one in others if any(has(record, one.key) for record in records)]
    if kept and first.within_variant and not any(has(record, first.key) for record in records):
        first, *kept = kept
    return dataclasses.replace(display, columns=(first, *kept))


def with_ratios(records: list[Record]) -> list[Record]:
    """Return records with the ratio to their reference, where their kind ranks by one."""
    changed: dict[int, Record] = {}
    for name in {str(name_of(record)) for record in records} & set(KINDS):
        measure = named(name).measure
        if isinstance(measure, RatioToReference):
            alike = [record for record in records if name_of(record) == name]
            changed |= zip(map(id, alike), measure.with_ratios(alike), strict=True)
    return [changed.get(id(record), record) for record in records]


def has(record: Record, key: str) -> bool:
    """Say whether a record has a score."""
    return score(record, key) is not None


def score(record: Record, key: str) -> float | None:
    """Return a score of a record, the cost ratio among them; None if it has not."""
    if key == COST.key:
        value: Any = record.get("cost", {}).get("ratio")
    else:
        value = record.get("scores", {}).get(key)
    return None if value is None else float(value)

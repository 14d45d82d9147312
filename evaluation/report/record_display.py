"""How records are shown: as their kind says, or by name if the kind is unknown."""

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

    A record of an unknown kind is of a solver or forecaster, and has no column but a missing score.
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

    For an unknown kind all scores are shown by name. The first one of the record ranks, and more is
    better.
    """
    display = display_of(records[0])
    if name_of(records[0]) in KINDS:
        return _filled(display, records)
    keys = dict.fromkeys(key for record in records for key in record.get("scores", {}))
    columns = tuple(Column(key, key.replace("_", " "), key, "{:,.4g}") for key in keys)
    return dataclasses.replace(display, columns=columns or display.columns)


def _filled(display: Display, records: list[Record]) -> Display:
    """Return the display without columns that no record fills, but for the first.

    Schedulers without a reference are ranked by goodput itself.
    """
    first, *others = display.columns
    kept = [column for column in others if any(has(record, column.key) for record in records)]
    if kept and first.within_variant and not any(has(record, first.key) for record in records):
        first, *kept = kept
    return dataclasses.replace(display, columns=(first, *kept))


def with_ratios(records: list[Record]) -> list[Record]:
    """Return records with the ratio to their reference, if their kind ranks by such a ratio."""
    changed: dict[int, Record] = {}
    for name in {str(name_of(record)) for record in records} & set(KINDS):
        measure = named(name).measure
        if isinstance(measure, RatioToReference):
            of_kind = [record for record in records if name_of(record) == name]
            changed |= zip(map(id, of_kind), measure.with_ratios(of_kind), strict=True)
    return [changed.get(id(record), record) for record in records]


def has(record: Record, key: str) -> bool:
    """Return whether a record has a score."""
    return score(record, key) is not None


def score(record: Record, key: str) -> float | None:
    """Return a score of a record, the cost ratio among them; None if the record has none."""
    if key == COST.key:
        value: Any = record.get("cost", {}).get("ratio")
    else:
        value = record.get("scores", {}).get(key)
    return None if value is None else float(value)

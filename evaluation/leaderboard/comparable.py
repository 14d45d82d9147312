"""Which records compare: one suite, and for each scenario one trace and one fabric."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evaluation.leaderboard.measures import Measure

Record = dict[str, Any]


class Who(NamedTuple):
    """What a row is about: name, dispatcher, and what else tells two of one name apart."""

    name: str
    dispatcher: str
    file: str
    parameters: str


class Cell(NamedTuple):
    """One trace of a scenario; a generated one has one for each seed."""

    scenario: str
    trace_seed: int | None


@dataclass(frozen=True)
class Compared:
    """Records that compare with one another, and those that do not.

    Parameters
    ----------
    records
        In the order given.
    groups
        Cell to the (trace hash, fabric hash) of its records here.
    apart
        Records of another group, each with the reason.
    """

    records: list[Record]
    groups: dict[Cell, tuple[str, str]]
    apart: list[tuple[Record, str]]


def who(record: Record) -> Who:
    """Return what a record is about, whatever its seed."""
    forecast = record.get("kind") == "forecast"
    name = record["forecaster" if forecast else "solver"]
    file = record.get("forecaster_file" if forecast else "solver_file") or ""
    own = {key: value for key, value in record.get("parameters", {}).items() if key != "seed"}
    dispatcher = "" if forecast else record.get("dispatcher", "")
    # what failed before it was made has no parameters, and is not another one for that
    return Who(name, dispatcher, file, json.dumps(own, sort_keys=True) if own else "")


def cell(record: Record) -> Cell:
    """Return the trace of the scenario that a record was made on."""
    return Cell(record["scenario"]["id"], record.get("trace_seed"))


def compare(records: Iterable[Record]) -> Compared:
    """Return what compares.

    A suite's id has its version, and rows compare within one (suite, trace hash, fabric hash) for
    each scenario. Where records disagree on one of these the most frequent stays, and of those
    alike the first by name. So it does for the source that made a record, but only where one
    candidate was scored twice on the same and differently.
    """
    kept = list(records)
    apart: list[tuple[Record, str]] = []
    most = _most_frequent(record["suite"] for record in kept)
    kept, others = _part(kept, lambda record: record["suite"] == most)
    apart += [(record, f"suite {record['suite']}, not {most}") for record in others]
    hashes: dict[Cell, list[tuple[str, str]]] = defaultdict(list)
    for record in kept:
        hashes[cell(record)].append(_hashes(record))
    groups = {one: _most_frequent(found) for one, found in hashes.items()}
    kept, others = _part(kept, lambda record: _hashes(record) == groups[cell(record)])
    for record in others:
        pairs = zip(("trace", "fabric"), _hashes(record), groups[cell(record)], strict=True)
        reason = "; ".join(
            f"another {noun}: {got[:8] or 'none'}, not {usual[:8] or 'none'}"
            for noun, got, usual in pairs
            if got != usual
        )
        apart.append((record, reason))
    kept, others = _one_each(kept)
    apart += [(record, "scored by another source, with other scores") for record in others]
    return Compared(kept, groups, apart)


def sound(records: list[Record], measure: Measure) -> tuple[list[Record], list[tuple[Record, str]]]:
    """Return records whose numbers can be ranked together, and the others with the reason.

    What failed is sound. A folder may hold anybody's records, and none may break a table.
    """
    size = {id(record): _blocks(record, measure) for record in records}
    usual: dict[Cell, int] = {}
    for place in {cell(record) for record in records}:
        counts = [size[id(one)] for one in records if cell(one) == place and size[id(one)] > 0]
        usual[place] = _most_frequent(counts) if counts else 0
    kept, apart = [], []
    for record in records:
        blocks, expected = size[id(record)], usual[cell(record)]
        if record["status"] != "ok" or blocks == expected > 0:
            kept.append(record)
        elif blocks == 0:
            apart.append((record, f"lacks finite numbers of which {measure.name} is made"))
        else:
            apart.append((record, f"has {blocks} blocks on this trace, the others {expected}"))
    return kept, apart


def _blocks(record: Record, measure: Measure) -> int:
    """Return the blocks of a record's measure; 0 if they make no score."""
    if record["status"] != "ok":
        return 0
    try:
        above, below = measure.parts(record)
        good = np.ndim(above) == 1 and np.shape(above) == np.shape(below)
        good = good and bool(np.isfinite(above).all() and np.isfinite(below).all())
        scores = record.get("scores")
        good = good and isinstance(scores, dict) and _finite(scores)
    except (KeyError, TypeError, ValueError, OverflowError):  # integers that no float holds, too
        return 0
    return len(above) if good and (below >= 0).all() and below.sum() > 0 else 0


def _finite(scores: dict[str, Any]) -> bool:
    numbers = [value for value in scores.values() if isinstance(value, int | float)]
    return len(numbers) == len(scores) and all(map(math.isfinite, numbers))


def _hashes(record: Record) -> tuple[str, str]:
    return record.get("trace_hash") or "", record.get("fabric_hash") or ""


def _most_frequent(values: Iterable[Any]) -> Any:
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else None


def _part(records: list[Record], keep: Any) -> tuple[list[Record], list[Record]]:
    return [one for one in records if keep(one)], [one for one in records if not keep(one)]


def _one_each(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """Return one record a candidate, cell and seed, and those that scored differently."""
    usual = Counter(record.get("source_hash", "") for record in records)
    order = sorted(
        records,
        key=lambda record: (-usual[record.get("source_hash", "")], record.get("source_hash", "")),
    )
    first: dict[tuple[Any, ...], Record] = {}
    differing = []
    for record in order:
        key = (*who(record), cell(record), record.get("seed"))
        same = first.setdefault(key, record)
        if same is not record and _outcome(same) != _outcome(record):
            differing.append(record)
    chosen = {id(record) for record in first.values()}
    return [record for record in records if id(record) in chosen], differing


def _outcome(record: Record) -> tuple[Any, ...]:
    return record["status"], record.get("scores")

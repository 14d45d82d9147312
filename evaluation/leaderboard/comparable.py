"""Which records compare: one suite, and for each scenario one trace and one fabric."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.leaderboard.measure import Measure, Parts
from evaluation.records.identity import Identity, Record, ScenarioTrace


@dataclass(frozen=True)
class ComparableRecords:
    """Records that compare with one another, and records that do not.

    Parameters
    ----------
    records
        In the order given.
    parts
        What the score of each record is made of; None where the record failed.
    groups
        Trace to the (trace hash, fabric hash) of its records here.
    apart
        Records of another group, each with the reason.
    unscored
        Records that have no score or another number of observations, each with the reason.
    """

    records: list[Record]
    parts: list[Parts | None] = field(default_factory=list)
    groups: dict[ScenarioTrace, tuple[str, str]] = field(default_factory=dict)
    apart: list[tuple[Record, str]] = field(default_factory=list)
    unscored: list[tuple[Record, str]] = field(default_factory=list)


def comparable_records(records: Iterable[Record], measure: Measure) -> ComparableRecords:
    """Return the records that compare under a measure.

    The id of a suite has its version. Rows compare within one (suite, trace hash, fabric hash) of
    each scenario. Where records disagree, the most frequent group stays, and of equally frequent
    ones the first by name. The same holds for the source that made a record, but only where a
    candidate was scored twice on the same traffic with different scores.

    Failed records compare too: they are listed as failures later. A folder may hold records from
    anywhere, and none of them may break a table.
    """
    identity = measure.identity
    kept, apart = _one_suite(list(records))
    kept, groups, others = _one_group(kept, identity)
    apart += others
    kept, others = _one_for_each_run(kept, identity)
    apart += others
    kept, parts, unscored = _scored(kept, measure)
    return ComparableRecords(kept, parts, groups, apart, unscored)


def _one_suite(records: list[Record]) -> tuple[list[Record], list[tuple[Record, str]]]:
    suite = _most_frequent(record["suite"] for record in records)
    kept, others = _partition(records, lambda record: record["suite"] == suite)
    return kept, [(record, f"suite {record['suite']}, not {suite}") for record in others]


def _one_group(
    records: list[Record], identity: Identity
) -> tuple[list[Record], dict[ScenarioTrace, tuple[str, str]], list[tuple[Record, str]]]:
    hashes: dict[ScenarioTrace, list[tuple[str, str]]] = defaultdict(list)
    for record in records:
        hashes[identity.trace(record)].append(_hashes(record))
    groups = {trace: _most_frequent(pairs) for trace, pairs in hashes.items()}
    kept, others = _partition(
        records, lambda record: _hashes(record) == groups[identity.trace(record)]
    )
    apart = []
    for record in others:
        pairs = zip(
            ("trace", "fabric"), _hashes(record), groups[identity.trace(record)], strict=True
        )
        reason = "; ".join(
            f"another {noun}: {own[:8] or 'none'}, not {usual[:8] or 'none'}"
            for noun, own, usual in pairs
            if own != usual
        )
        apart.append((record, reason))
    return kept, groups, apart


def _one_for_each_run(
    records: list[Record], identity: Identity
) -> tuple[list[Record], list[tuple[Record, str]]]:
    """Return one record for each candidate, trace and seed, and those with other scores."""
    usual = Counter(record.get("source_hash", "") for record in records)
    order = sorted(
        records,
        key=lambda record: (-usual[record.get("source_hash", "")], record.get("source_hash", "")),
    )
    first: dict[tuple[Any, ...], Record] = {}
    differing = []
    for record in order:
        key = (*identity.candidate(record), identity.trace(record), record.get("seed"))
        same = first.setdefault(key, record)
        if same is not record and _outcome(same) != _outcome(record):
            differing.append((record, "scored by another source, with other scores"))
    kept = {id(record) for record in first.values()}
    return [record for record in records if id(record) in kept], differing


def _scored(
    records: list[Record], measure: Measure
) -> tuple[list[Record], list[Parts | None], list[tuple[Record, str]]]:
    """Return failed records and those with a usual number of observations; others with reasons."""
    observed = measure.observe(records)
    usual = _usual_sizes(records, observed, measure.identity)
    kept: list[Record] = []
    parts: list[Parts | None] = []
    unscored = []
    for record, own in zip(records, observed, strict=True):
        if record["status"] != "ok":
            kept.append(record)
            parts.append(None)
        elif isinstance(own, str):
            unscored.append((record, own))
        elif len(own[0]) != (expected := usual[measure.identity.trace(record)]):
            reason = f"has {len(own[0])} observations on this trace, the others {expected}"
            unscored.append((record, reason))
        else:
            kept.append(record)
            parts.append(own)
    return kept, parts, unscored


def _usual_sizes(
    records: list[Record], observed: Sequence[Parts | str], identity: Identity
) -> dict[ScenarioTrace, int]:
    sizes: dict[ScenarioTrace, list[int]] = defaultdict(list)
    for record, own in zip(records, observed, strict=True):
        if record["status"] == "ok" and not isinstance(own, str):
            sizes[identity.trace(record)].append(len(own[0]))
    return {trace: _most_frequent(counts) for trace, counts in sizes.items()}


def _hashes(record: Record) -> tuple[str, str]:
    return record.get("trace_hash") or "", record.get("fabric_hash") or ""


def _most_frequent(values: Iterable[Any]) -> Any:
    counted = Counter(values)
    return min(counted, key=lambda value: (-counted[value], value)) if counted else None


def _partition(
    records: list[Record], keep: Callable[[Record], bool]
) -> tuple[list[Record], list[Record]]:
    kept = [record for record in records if keep(record)]
    return kept, [record for record in records if not keep(record)]


def _outcome(record: Record) -> tuple[Any, ...]:
    return record["status"], record.get("scores")

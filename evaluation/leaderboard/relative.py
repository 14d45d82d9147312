"""Scores over those of a reference on the same traffic."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from evaluation.records.identity import Identity, Record, ScenarioTrace


class FromReference:
    """The reference of a stage, and what it scored on each trace.

    Parameters
    ----------
    score
        Key of the score that is divided.
    identity
        Fields of a record that say who ran, and on which traffic.
    records
        Records of one stage. Their field ``reference`` names the reference.
    """

    def __init__(self, score: str, identity: Identity, records: Sequence[Record]) -> None:
        self.score, self.identity = score, identity
        names = Counter(str(record.get("reference") or "") for record in records)
        self.name = min(names, key=lambda name: (-names[name], name)) if names else ""
        self.traces = sorted(
            {identity.trace(record) for record in records},
            key=lambda trace: (trace.scenario, trace.trace_seed or 0),
        )
        self._own: dict[ScenarioTrace, Record] = {
            identity.trace(record): record
            for record in records
            if record.get(identity.name) == self.name
        }

    def absent(self, lacking: Callable[[Record], str | None]) -> str | None:
        """Return why the reference cannot be compared with on all traces; None if it can."""
        for trace in self.traces:
            own = self._own.get(trace)
            reason = "not run" if own is None else lacking(own)
            if reason:
                return f"{reason} ({trace.scenario}, seed {trace.trace_seed})"
        return None

    def ratio(self, record: Record) -> float:
        """Return the score of a record over that of the reference; not a number without one."""
        own = self._own.get(self.identity.trace(record))
        below = _number(own, self.score) if own is not None else 0.0
        return _number(record, self.score) / below if below > 0 else math.nan


def with_ratios(
    records: Sequence[Record], *, name: str, score: str, identity: Identity
) -> list[Record]:
    """Return records with the ratio ``name`` among their scores where the reference has a score.

    Stages run on scenarios of their own, so that their plain scores do not compare. Records that
    name no reference stay as they are.

    Parameters
    ----------
    records
        Of any suites and stages.
    name, score
        Key of the ratio, and of the score that is divided.
    identity
        Fields of a record that say who ran, and on which traffic.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        if record.get("reference"):
            groups.setdefault((record["suite"], record.get("stage")), []).append(record)
    references = {key: FromReference(score, identity, group) for key, group in groups.items()}
    return [
        _with_ratio(record, name, references[record["suite"], record.get("stage")])
        if record.get("reference")
        else record
        for record in records
    ]


def _with_ratio(record: Record, name: str, reference: FromReference) -> Record:
    ratio = reference.ratio(record) if record["status"] == "ok" else math.nan
    if not math.isfinite(ratio):
        return record
    return {**record, "scores": {**record["scores"], name: ratio}}


def _number(record: Record, key: str) -> float:
    return float(record.get("scores", {}).get(key) or 0.0)

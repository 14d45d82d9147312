"""Check a record from an untrusted source before it is drawn."""

import math
from collections.abc import Mapping
from typing import Any

from evaluation.report.panel import Record
from evaluation.report.record_display import display_of

STATUSES = ("ok", "failed", "infeasible")
#: Fields that are texts, if a record has them.
TEXTS = (
    *("kind", "dispatcher", "stage", "family", "reason", "date"),
    *("trace_hash", "fabric_hash", "source_hash", "solver_file", "forecaster_file"),
)
#: Largest accepted number: no measurement is larger, and NumPy has no integers beyond 64 bits.
MOST = 1e18


def check(record: Record) -> None:
    """Raise ValueError, naming the field, unless panels can rely on a record's shape.

    Scores that are null are removed: they are not known.
    """
    _text(record, "suite")
    scenario = record.get("scenario")
    if not isinstance(scenario, Mapping) or not isinstance(scenario.get("id"), str):
        raise ValueError(f"scenario = {scenario!r:.80} has no id")
    if record.get("status") not in STATUSES:
        raise ValueError(f"status = {record.get('status')!r:.80} is not {', '.join(STATUSES)}")
    field = display_of(record).field
    if not isinstance(record.get(field), str) or not record[field]:
        raise ValueError(f"{field} is missing; a record names its candidate")
    for key in TEXTS:
        if record.get(key) is not None:
            _text(record, key)
    for key in ("seed", "trace_seed"):
        if record.get(key) is not None and type(record[key]) is not int:
            raise ValueError(f"{key} = {record[key]!r:.80} is not a whole number")
    if not isinstance(record.get("parameters", {}), Mapping):
        raise ValueError(f"parameters = {record['parameters']!r:.80} is not a table")
    if record["status"] == "ok":
        _check_numbers(record)


def _text(record: Record, key: str) -> None:
    if not isinstance(record.get(key), str) or not record[key]:
        raise ValueError(f"{key} = {record.get(key)!r:.80} is not a text")


def _check_numbers(record: Record) -> None:
    scores = record.get("scores")
    if not isinstance(scores, dict):
        raise ValueError(f"scores = {scores!r:.80} is not a table")
    record["scores"] = {key: value for key, value in scores.items() if value is not None}
    for field in ("scores", "breakdown"):
        _numbers(field, _table(record, field).values())
    for field in ("windows", "layers", "distribution"):
        for key, values in _table(record, field).items():
            _numbers(f"{field}.{key}", _list(f"{field}.{key}", values))
    cost = _table(record, "cost")
    _numbers("cost.ratio", [cost[key] for key in ("ratio",) if cost.get(key) is not None])
    for point in _list("cost.curve", cost.get("curve") or []):
        _numbers(
            "cost.curve", [_entry("cost.curve", point, key) for key in ("ratio", "balancedness")]
        )
    for link in _list("links", record.get("links") or []):
        _numbers("links", [_entry("links", link, "utilisation")])
        _entry("links", link, "link")
    if record.get("rank_load") is not None:
        _check_rank_load(record["rank_load"])


def _check_rank_load(table: Any) -> None:
    layers = _list("rank_load.layers", _entry("rank_load", table, "layers"))
    rows = _list("rank_load.relative", _entry("rank_load", table, "relative"))
    if len(rows) != len(layers) or not rows:
        raise ValueError(f"rank_load has {len(rows)} rows for {len(layers)} layers")
    for row in rows:
        _numbers("rank_load.relative", _list("rank_load.relative", row))
    if not rows[0]:
        raise ValueError("rank_load.relative has no ranks")
    if len({len(row) for row in rows}) != 1:
        raise ValueError("rank_load.relative has layers of different numbers of ranks")


def _table(record: Record, key: str) -> dict[str, Any]:
    value = record.get(key)
    if value is None:
        record[key] = value = {}
    if not isinstance(value, dict):
        raise ValueError(f"{key} = {value!r:.80} is not a table")
    return value


def _entry(where: str, table: Any, key: str) -> Any:
    if not isinstance(table, dict) or key not in table:
        raise ValueError(f"{where} = {table!r:.80} has no {key}")
    return table[key]


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} = {value!r:.80} is not a list")
    return value


def _numbers(where: str, values: Any) -> None:
    for value in values:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValueError(f"{where} holds {value!r:.80}, which is no finite number")
        if abs(value) > MOST:
            raise ValueError(f"{where} holds {value!r:.80}; |value| > {MOST:g} is no measurement")

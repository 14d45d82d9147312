"""Labels of candidates: each label means one candidate in all records."""

import hashlib
import json
import re
from typing import Any

from evaluation.records.identity import parameters_of
from evaluation.report.panel import Record
from evaluation.report.record_display import display_of


def labelled(records: list[Record]) -> list[Record]:
    """Return the records, each with the field ``candidate``: the label of its candidate.

    The label is the name. If a suite has several files or parameters (except seeds) under one
    name, all but the first get ``~`` and the start of a hash after the name.
    """
    first: dict[tuple[str, str], str] = {}
    keyed = [(record, *_identity(record)) for record in records]
    for record, name, identity in keyed:
        if not _partial(record):
            first.setdefault((record["suite"], name), identity)
    return [
        record
        | {
            "candidate": name
            if _partial(record) or first[record["suite"], name] == identity
            else f"{name}~{identity[:6]}"
        }
        for record, name, identity in keyed
    ]


def _partial(record: Record) -> bool:
    """Return whether parameters do not identify the candidate: curve points, failures to start."""
    unmade = record["status"] != "ok" and not record.get("parameters")
    return "anytime" in record or unmade


def _identity(record: Record) -> tuple[str, str]:
    """Return the name, and a hash of the file and the parameters of the candidate."""
    field = display_of(record).field
    name = str(record.get(field))
    text = json.dumps(
        [record.get(f"{field}_file"), parameters_of(record) or {}], sort_keys=True, default=str
    )
    return name, hashlib.sha256(text.encode()).hexdigest()


def slug(name: str) -> str:
    """Return a stem of a file name for any text; different texts have different stems."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if plain and plain == name:
        return plain
    # no plain stem has an underscore
    return f"{plain or 'x'}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def seeds(records: list[Record]) -> list[Any]:
    """Return the seeds that occur, in order."""
    return sorted({record.get("seed", 0) for record in records}, key=str)

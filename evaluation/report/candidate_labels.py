"""Who a record is about: one label for each candidate, whatever it is called."""

import hashlib
import json
import re
from typing import Any

from evaluation.report.displays import display_of
from evaluation.report.panel import Record


def labelled(records: list[Record]) -> list[Record]:
    """Return the records, each with a ``candidate``: a label that means one thing in all of them.

    That is its name; where one name stands for several files or parameters (seeds aside) in a
    suite, all but the first get the beginning of a hash behind it.
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
            if _partial(record) or first[record["suite"], name] == mine
            else f"{name}~{mine[:6]}"
        }
        for record, name, mine in keyed
    ]


def _partial(record: Record) -> bool:
    """Say whether parameters do not tell who it is: points of a curve, and what was never made."""
    unmade = record["status"] != "ok" and not record.get("parameters")
    return "anytime" in record or unmade


def _identity(record: Record) -> tuple[str, str]:
    """Return the name, and a hash of what else makes the candidate."""
    field = display_of(record).field
    name = str(record.get(field))
    parameters = {key: one for key, one in record.get("parameters", {}).items() if key != "seed"}
    text = json.dumps([record.get(f"{field}_file"), parameters], sort_keys=True, default=str)
    return name, hashlib.sha256(text.encode()).hexdigest()


def slug(name: str) -> str:
    """Return a file name's stem for any text; texts that differ never share one."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
    if plain and plain == name:
        return plain
    # no plain stem has an underscore
    return f"{plain or 'x'}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def seeds(records: list[Record]) -> list[Any]:
    """Return the seeds that occur, in order."""
    return sorted({record.get("seed", 0) for record in records}, key=str)

"""Remove records that a newer run of the same cell has replaced."""

import json
from pathlib import Path
from typing import Any

from evaluation.records import record_file

#: Fields of a record that, with its scenario and its parameters, name its cell: what was run on
#: what. A record of the same cell and another file is of older code or other inputs.
CELL = (
    *("kind", "suite", "stage", "dispatcher", "anytime"),
    *("solver", "solver_file", "forecaster", "forecaster_file"),
    *("seed", "trace_seed"),
)


def cell_of(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return what tells a record from others of its folder, apart from its parameters."""
    fields = [json.dumps(record.get(name), sort_keys=True) for name in CELL]
    return record["scenario"]["id"], *fields


def remove_stale(record: dict[str, Any], path: Path) -> list[Path]:
    """Remove older records of the cell of ``record``, and return their paths.

    Call it when ``record`` is on the disk, so that no failure leaves the cell without a record.
    A file that cannot be read as a record stays.

    Parameters
    ----------
    record, path
        The newest record of its cell, and its file, as ``record_file.path_of`` names it.
    """
    removed = []
    start = record_file.readable_part(path)
    for other in sorted(path.parent.glob("*.json")):
        if other == path or record_file.readable_part(other) != start:
            continue
        if _replaces(record, other):
            other.unlink(missing_ok=True)
            removed.append(other)
    return removed


def _replaces(record: dict[str, Any], other: Path) -> bool:
    try:
        old = record_file.read(other)
        same_cell = cell_of(old) == cell_of(record)
    except (ValueError, KeyError, TypeError):
        return False
    # a run that failed before its solver was made has no parameters, and is none of another one
    same_parameters = "parameters" not in old or _parameters(old) == _parameters(record)
    return same_cell and same_parameters


def _parameters(record: dict[str, Any]) -> Any:
    """Return the parameters without the seed, which is a field of its own."""
    parameters = record.get("parameters")
    if not isinstance(parameters, dict):
        return parameters
    return {name: value for name, value in parameters.items() if name != "seed"}

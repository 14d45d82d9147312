"""Remove records that a newer run of the same cell has replaced."""

import json
from pathlib import Path
from typing import Any

from evaluation.records import record_file

#: Fields that, with scenario and parameters, identify the cell of a record: its solver on its
#: scenario. Another record of the same cell is of older code or other inputs.
CELL = (
    *("kind", "suite", "stage", "dispatcher", "anytime"),
    *("solver", "solver_file", "forecaster", "forecaster_file"),
    *("seed", "trace_seed"),
)


def cell_of(record: dict[str, Any]) -> tuple[Any, ...]:
    """Return the cell of a record, except its parameters."""
    fields = [json.dumps(record.get(name), sort_keys=True) for name in CELL]
    return record["scenario"]["id"], *fields


def remove_stale(record: dict[str, Any], path: Path) -> list[Path]:
    """Remove older records of the cell of ``record``, and return their paths.

    Call it after ``record`` is on the disk, so that a failure never leaves the cell without a
    record. A file that cannot be read as a record is kept.

    Parameters
    ----------
    record, path
        The newest record of its cell, and its file from ``record_file.path_of``.
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
    # A run that failed before its solver was created has no parameters: it is stale, too.
    same_parameters = "parameters" not in old or _parameters(old) == _parameters(record)
    return same_cell and same_parameters


def _parameters(record: dict[str, Any]) -> Any:
    """Return the parameters without the seed, which is a separate field."""
    parameters = record.get("parameters")
    if not isinstance(parameters, dict):
        return parameters
    return {name: value for name, value in parameters.items() if name != "seed"}

"""Remove records that a newer record of the same run has replaced."""

from pathlib import Path

from evaluation.records import record_file
from evaluation.records.identity import Record, parameters_of, run_of


def remove_stale(record: Record, path: Path) -> list[Path]:
    """Remove older records of the same run as ``record``, and return their paths.

    They are of older code or other inputs. Call it when ``record`` is on the disk, so that no
    failure leaves the run without a record. A file that cannot be read as a record stays.

    Parameters
    ----------
    record, path
        The newest record of its run, and its file, as ``record_file.path_of`` names it.
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


def _replaces(record: Record, other: Path) -> bool:
    try:
        old = record_file.read(other)
        same_run = run_of(old) == run_of(record)
    except (ValueError, KeyError, TypeError):
        return False
    # A run that failed before its solver was made has no parameters, and any later run replaces it.
    without_parameters = "parameters" not in old
    return same_run and (without_parameters or parameters_of(old) == parameters_of(record))

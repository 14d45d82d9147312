"""Records from folders and files; unreadable files are left out, with a message for each."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.records import record_file
from evaluation.report.panel import Record
from evaluation.report.record_validation import check

#: File that marks a folder as a report; it is no record.
MARK = "podlab-report.json"


def read(places: Iterable[Path]) -> tuple[list[Record], list[str]]:
    """Return the valid records in folders and files, and messages about the others.

    Parameters
    ----------
    places
        Folders, searched in depth, or files.

    Raises
    ------
    ValueError
        If a place is missing, or no record is left.
    """
    records: list[Record] = []
    problems: list[str] = []
    paths: dict[Path, None] = {}
    for place in places:
        if not place.exists():
            raise ValueError(f"{place}: no such file or folder; podlab bench --out writes records")
        paths |= dict.fromkeys(_below(place))
    for path in paths:
        try:
            record = record_file.read(path)
        except ValueError as error:
            problems.append(str(error))
            continue
        try:
            check(record)
        except ValueError as error:
            problems.append(f"{path}: {error}")
        else:
            records.append(record)
    if not records:
        names = ", ".join(map(str, places))
        first = f"; {len(problems)} could not be read, the first: {problems[0]}" if problems else ""
        raise ValueError(f"no records in {names}; podlab bench --out FOLDER writes some{first}")
    return records, problems


def _below(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return [path for path in record_file.paths(place) if path.name != MARK]

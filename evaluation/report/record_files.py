"""Records from folders and files; what cannot be read is named and left out."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.records import record_file
from evaluation.report.panel import Record
from evaluation.report.record_validation import check

#: A report's own mark, which lies in a folder of records if the report does.
MARK = "podlab-report.json"


def read(places: Iterable[Path]) -> tuple[list[Record], list[str]]:
    """Return the sound records below folders or in files, and what is wrong with the others.

    Parameters
    ----------
    places
        Folders, searched in depth, or files.

    Raises
    ------
    ValueError
        If a place is missing, or no record is left.
    """
    found: list[Record] = []
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
            found.append(record)
    if not found:
        names = ", ".join(map(str, places))
        first = f"; {len(problems)} could not be read, the first: {problems[0]}" if problems else ""
        raise ValueError(f"no records in {names}; podlab bench --out FOLDER writes some{first}")
    return found, problems


def _below(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return [path for path in record_file.paths(place) if path.name != MARK]

"""A CSV table of requests, column by column, with names in its first line."""

import csv
import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.request_lines import first_line, lines_of, seconds

#: Rows held as text.
ROWS_AT_ONCE = 4096
#: Reads the text of a cell.
Cell = Callable[[str], Any]


def header_of(path: Path) -> list[str]:
    """Return the names in the first line, none where there is no such line."""
    try:
        return [name.strip() for name in next(csv.reader([first_line(path)]), [])]
    except csv.Error:
        return []


def rows(
    path: Path, needed: Iterable[str], optional: Iterable[str]
) -> Iterator[tuple[int, list[str]]]:
    """Yield the names of the columns, then the cells of every row, with their lines.

    Empty lines are passed over.

    Raises
    ------
    ValueError
        Naming the line, if a column is missing, unknown or there twice, or a row has more or
        fewer cells.
    """
    reader = csv.reader(lines_of(path), strict=True)
    width = 0
    try:
        for row in reader:
            if row and not width:
                row = [cell.strip() for cell in row]
                _check_names(row, tuple(needed), tuple(optional))
                width = len(row)
            elif row and len(row) != width:
                raise ValueError(
                    f"line {reader.line_num} has {len(row)} cells for {width} columns; the file "
                    "may be cut short"
                )
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}; give plain CSV") from None
    if not width:
        raise ValueError(f"the file is empty; its first line names {', '.join(needed)}")


def _check_names(names: list[str], needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in names]
    unknown = [name for name in names if name not in (*needed, *optional)]
    if missing or unknown or len(set(names)) < len(names):
        wrong = f"{missing} are missing" if missing else f"{unknown or names} are unknown or double"
        known = ", ".join(needed) + (f" and perhaps {', '.join(optional)}" if optional else "")
        raise ValueError(f"line 1: of the columns {wrong}; there are {known}")


def read_columns(
    path: Path, needed: Mapping[str, Cell], optional: Mapping[str, Cell]
) -> dict[str, NDArray[Any]]:
    """Return the columns as arrays, and the line of every row as column "line".

    Parameters
    ----------
    path
        The file.
    needed, optional
        Column to what reads its cells, or says what is wrong with one in a ValueError.

    Raises
    ------
    ValueError
        Naming line and column.
    """
    readers = {**needed, **optional}
    found = rows(path, needed, optional)
    names = next(found)[1]
    columns: list[array[Any]] = [array("d" if readers[name] is seconds else "q") for name in names]
    lines: array[int] = array("q")
    while block := list(itertools.islice(found, ROWS_AT_ONCE)):
        lines.extend(line for line, _ in block)
        table = zip(*(row for _, row in block), strict=True)
        for name, column, texts in zip(names, columns, table, strict=True):
            try:
                column.extend(map(readers[name], map(str.strip, texts)))
            except (ValueError, OverflowError) as error:
                line = lines[len(column)]  # the one that could not be added
                what = f"is {texts[len(column) % ROWS_AT_ONCE][:40]!r}, too large"
                reason = error if isinstance(error, ValueError) else what
                raise ValueError(f"line {line}: {name} {reason}") from None
    if not lines:
        raise ValueError("the file has a first line and no requests; give some")
    arrays = {
        name: np.frombuffer(column, dtype=column.typecode)
        for name, column in zip(names, columns, strict=True)
    }
    return {**arrays, "line": np.frombuffer(lines, dtype=np.int64)}


def in_order(times: NDArray[Any], lines: NDArray[Any], name: str) -> None:
    """Raise ValueError, naming the line, if a time is before the one above it."""
    falls = np.diff(times) < 0
    if falls.any():
        line = lines[int(np.argmax(falls)) + 1]
        raise ValueError(f"line {line}: {name} is before the row above; sort the file by time")


class Numbering:
    """Numbers texts from 0 in the order in which they first come; an empty one is -1."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """Return the number of ``text``."""
        return self.numbers.setdefault(text, len(self.numbers)) if text else -1

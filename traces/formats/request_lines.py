"""Lines of a plain or gzip text file, and numbers in them."""

import gzip
import io
import math
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: A longer line is no request; it bounds what a broken file can take of memory.
LONGEST_LINE = 4 * 2**20
DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def opened(path: Path) -> IO[str]:
    """Open a text file; gzip is told by its first two bytes, not by the name."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


@contextmanager
def created(path: Path) -> Iterator[IO[str]]:
    """Create a text file in UTF-8, packed with gzip where its name ends in ``.gz``."""
    if path.suffix != ".gz":
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    # without name and time, so that equal contents are equal files
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        yield text


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines with their ends, in bounded memory.

    Raises
    ------
    ValueError
        Naming the line, counted from 1, if the file is cut short, is no text in UTF-8, or has a
        line that is too long.
    """
    number = 0
    try:
        with opened(path) as file:
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise ValueError(
                        f"line {number} is longer than {LONGEST_LINE} characters; it is no request"
                    )
                if "\0" in line:
                    raise ValueError(f"line {number} has a zero byte; give a text file")
                yield line
    except UnicodeDecodeError as error:
        raise ValueError(
            f"somewhere after line {number}: no text in UTF-8 ({error.reason}); save it as such"
        ) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"somewhere after line {number}: the gzip file is damaged or cut short ({error}); copy "
            "it again"
        ) from None


def first_line(path: Path) -> str:
    """Return the first line, or an empty one where there is no readable text."""
    try:
        return next(iter(lines_of(path)), "") if path.is_file() else ""
    except (ValueError, OSError):
        return ""


def whole(text: str) -> int:
    """Return a number of tokens.

    Raises
    ------
    ValueError
        Unless ``text`` is digits and nothing else.
    """
    if not DIGITS.fullmatch(text):
        raise ValueError(f"is {text[:40]!r}, no whole number; give digits alone")
    return int(text)


def seconds(text: str) -> float:
    """Return seconds, not negative.

    Raises
    ------
    ValueError
        Unless ``text`` is a plain finite number.
    """
    found = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(found):
        raise ValueError(f"is {text[:40]!r}, no time; give a finite number that is not negative")
    return found

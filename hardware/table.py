"""Tables of measured kernels: CSV files with one row a timing."""

import csv
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hardware import preset
from hardware.rooflines import FORMAT_BYTES

FOLDER = Path(__file__).parent / "tables"

#: Columns of a table. Sizes that an operator does not have are 0 or empty.
COLUMNS: tuple[str, ...] = ("operator", "format", "m", "k", "n", "groups", "heads", "width")
COLUMNS += ("v_width", "batch", "kv_tokens", "latency_us")

#: The sizes that a row of an operator has: ``m`` rows (of each group) times weights [k, n]; or
#: ``batch`` sequences with ``kv_tokens`` tokens of context, ``heads`` query heads, key and value
#: widths, and as ``groups`` the key-value heads (0: one latent vector that holds both).
SIZES_OF = {
    "gemm": ("m", "k", "n"),
    "grouped_gemm": ("m", "k", "n", "groups"),
    "attention_decode": ("heads", "width", "v_width", "batch", "kv_tokens"),
    "attention_prefill": ("heads", "width", "v_width", "batch", "kv_tokens"),
    "memory": ("n",),
}
FREE = {"attention_decode": ("groups",), "attention_prefill": ("groups",)}


def find(name_or_path: str | Path) -> Path:
    """Return the file of a bundled table, or the user's own ``.csv`` file.

    Raises
    ------
    ValueError
        If there is no such table; the bundled ones are named.
    """
    path = Path(name_or_path)
    if path.suffix != ".csv":
        path = FOLDER / f"{name_or_path}.csv"
    if not path.is_file():
        names = ", ".join(sorted(found.stem for found in FOLDER.glob("*.csv")))
        raise ValueError(f"{name_or_path}: there is no such table; bundled are {names}")
    return path


def write_rows(rows: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write rows as CSV to a temporary name, flush it and rename it.

    Raises
    ------
    ValueError
        If there is no row, or one that :func:`read_rows` would refuse.
    """
    path = Path(path)
    good = [_checked(f"row {number}", row) for number, row in enumerate(rows, start=1)]
    if not good:
        raise ValueError(f"{path}: there are 0 rows to write, and 1 is needed; measure some")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.partial.{path.name}")
    try:
        with partial.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(good)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        partial.unlink(missing_ok=True)


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """Return the rows of a table; columns beyond :data:`COLUMNS` are passed over.

    Raises
    ------
    ValueError
        Naming file, line and column: no such file or no CSV, a missing column, no rows, an unknown
        operator or format, or a number that its column cannot hold.
    """
    path = Path(path)
    try:
        # Spreadsheets put a byte order mark in front, which the encoding drops.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if lacking:
                raise ValueError(
                    f"{path}: line 1 lacks column {lacking[0]!r}; columns are {', '.join(COLUMNS)}"
                )
            rows = [_checked(f"{path}: line {reader.line_num}", row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a readable CSV file ({error}); measure again") from None
    if not rows:
        raise ValueError(f"{path}: there are 0 rows, and 1 is needed; measure again")
    return rows


def _checked(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its numbers as numbers, or raise ValueError naming place and column."""
    for column, known in (("operator", tuple(SIZES_OF)), ("format", tuple(FORMAT_BYTES))):
        if row.get(column) not in known:
            raise ValueError(
                f"{where}, column {column!r}: {row.get(column)!r} is unknown; give one of "
                f"{', '.join(known)}"
            )
    good: dict[str, Any] = {"operator": row["operator"], "format": row["format"]}
    for column in COLUMNS[2:]:
        good[column] = _number(where, column, row.get(column))
    operator = good["operator"]
    for column in SIZES_OF[operator] + ("latency_us",):
        if preset.positive(good[column]):
            raise ValueError(
                f"{where}, column {column!r}: {good[column]} is not > 0; {operator} needs it"
            )
    for column in set(COLUMNS[2:-1]) - {*SIZES_OF[operator], *FREE.get(operator, ())}:
        if good[column] != 0:
            raise ValueError(f"{where}, column {column!r}: {good[column]}; {operator} has none")
    return good


def _number(where: str, column: str, given: Any) -> float | int:
    """Read an integer (or a float, for ``m`` and the latency); empty is 0."""
    try:
        value = float(given or 0)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{where}, column {column!r}: {given!r} is not a number >= 0; give one")
    if column in ("m", "latency_us"):
        return value
    if value != int(value):
        raise ValueError(f"{where}, column {column!r}: {given!r} is not an integer; give one")
    return int(value)

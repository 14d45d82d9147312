"""Stream Parquet columns of integer lists, with some rows in memory and not the whole file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

READ_BYTES = 2**20  # of a column chunk at a time
BATCH_VALUES = 2**21  # ids of all columns together that a batch has about
BATCH_ROWS = 2**17


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a Parquet file; whatever pyarrow says of it meanwhile becomes a ValueError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is no whole Parquet file ({reason}); copy or write it again"
        ) from None


def schema_names(path: Path) -> dict[str, Any]:
    """Return the types of a Parquet file's columns by name, none if it is podlab's own store.

    Raises
    ------
    ValueError
        If it is no Parquet file, or two columns have one name.
    """
    with opened(path) as file:
        if b"podlab" in (file.metadata.metadata or {}):
            return {}
        schema = file.schema_arrow
        twice = sorted(name for name in set(schema.names) if schema.names.count(name) > 1)
        if twice:
            raise ValueError(f"{path.name} has two columns {twice[0]!r}; keep one")
        return dict(zip(schema.names, schema.types, strict=True))


def rows_at_once(file: Any, columns: list[str]) -> int:
    """Return how many rows of an open file make a batch, by how many ids its first row has.

    The row is read: asking pyarrow's metadata for a column ends the process where it is damaged.
    """
    first = next(file.iter_batches(1, columns=columns, use_threads=False), None)
    if first is None:
        return 1
    values = 0
    for column in first.columns:
        while is_list(column.type):
            column = column.flatten()
        values += len(column)
    return max(1, min(BATCH_ROWS, BATCH_VALUES // max(1, values)))


def is_list(kind: Any) -> bool:
    """Whether a pyarrow type is a list, of whatever width."""
    import pyarrow.types as known

    return bool(known.is_list(kind) or known.is_large_list(kind) or known.is_fixed_size_list(kind))


def chosen(column: Any, depth: int, name: str, first: int) -> NDArray[Any]:
    """Return a column of lists as an array.

    Parameters
    ----------
    column
        A pyarrow array.
    depth
        Lists within lists: 1 gives [rows, choices], 2 gives [rows, layers, choices].
    name, first
        For errors: the column, and the number of its first row in the file.

    Raises
    ------
    ValueError
        If it is not of integers in so many lists, a row or an id is empty, or lists differ in
        length.
    """
    shape, rows = [len(column)], 1
    for _ in range(depth):
        if not is_list(column.type):
            raise ValueError(f"{name} is of {column.type}; give lists of integers")
        shape.append(_length(column, name, first, rows))
        rows *= shape[-1]
        column = column.flatten()
    return plain(column, name, first, rows).reshape(shape)


def plain(column: Any, name: str, first: int, per_row: int = 1) -> NDArray[Any]:
    """Return a column of integers, ``per_row`` of which are of one row of the file.

    Raises
    ------
    ValueError
        If it is of something else, or one is empty.
    """
    import pyarrow.types as known

    if not known.is_integer(column.type):
        raise ValueError(f"{name} is of {column.type}; give integers")
    if column.null_count:
        row = first + int(np.argmax(np.asarray(column.is_null()))) // per_row
        raise ValueError(f"{name} is empty in row {row}; every token is complete")
    found = np.frombuffer(column.buffers()[1] or b"", np.dtype(str(column.type)))
    return found[column.offset : column.offset + len(column)]


def _length(column: Any, name: str, first: int, per_row: int) -> int:
    """Return the one length of all lists of a column."""
    import pyarrow.types as known

    if column.null_count:
        row = first + int(np.argmax(np.asarray(column.is_null()))) // per_row
        raise ValueError(f"{name} is empty in row {row}; every token is complete")
    if known.is_fixed_size_list(column.type):
        return int(column.type.list_size)
    ends = np.asarray(column.offsets)
    lengths = np.diff(ends)
    if lengths.size == 0:
        return 0
    if lengths.min() != lengths.max() or lengths[0] < 1:
        odd = int(np.argmax(lengths != lengths[0]))
        raise ValueError(
            f"{name} has lists of {lengths[0]} in row {first} and of {lengths[odd]} in row "
            f"{first + odd // per_row}; every token has the same number of choices"
        )
    return int(lengths[0])

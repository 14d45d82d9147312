"""Counts as rows of a CSV: ``step``, ``layer``, ``expert`` and ``count``.

The first line names the columns, in any order and with others beside them. Steps are in order and
without a gap, from any number on; rows of one step are in any order. Layers and experts count from
0, up to the highest in the file, or ``experts`` as it is given. A row that is not there counts 0;
one that is there twice is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats.about import About
from traces.formats.chunks import counts_chunk, steps_at_once
from traces.routing import RoutingTrace
from traces.store import StoredTrace

COLUMNS = ("step", "layer", "expert", "count")
BLOCK_BYTES = 4 * 2**20
ROW_BYTES = 64  # a row and what is made of it
MOST = 2**16  # layers, and experts of a layer

Rows = NDArray[np.int64]  # [rows, 4]


def has_header(line: str) -> bool:
    """Whether a line names the four columns."""
    return set(COLUMNS) <= set(_names(line))


def _names(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(",")]


def blocks(path: Path, about: About, top_k: int) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time; the file is read twice, first for its extent."""
    layers, experts = 0, about.experts or 0
    for rows, line in _read(path):
        _check(rows, line, about.experts)
        layers = max(layers, int(rows[:, 1].max()) + 1)
        experts = max(experts, int(rows[:, 2].max()) + 1)
    if not layers:
        raise ValueError("has a header and no rows; give one for each step, layer and expert")
    most = steps_at_once(layers, experts, ROW_BYTES)
    first = start = None
    held: list[Rows] = []
    for rows, line in _read(path):
        if first is None or start is None:
            first = start = int(rows[0, 0])
        previous = int(held[-1][-1, 0]) if held else start
        _check_order(rows[:, 0], previous, line)
        held.append(rows)
        last = int(rows[-1, 0])
        if last - start >= most:  # the last step may go on in the next rows
            whole = np.concatenate(held)
            cut = int(np.searchsorted(whole[:, 0], last))
            yield from _counted(whole[:cut], start, first, (layers, experts), about, top_k)
            held, start = [whole[cut:]], last
    if held and first is not None and start is not None:
        whole = np.concatenate(held)
        yield from _counted(whole, start, first, (layers, experts), about, top_k)


def _read(path: Path) -> Iterator[tuple[Rows, int]]:
    """Yield the four columns of some rows, and the line that the first of them is in."""
    import pyarrow as pa
    from pyarrow import csv

    line = 2
    try:
        reader = csv.open_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.int64() for name in COLUMNS},
                include_columns=list(COLUMNS),
                null_values=[],
            ),
        )
        for batch in reader:
            if batch.num_rows:
                columns = [np.asarray(column) for column in batch.columns]
                yield np.stack(columns, axis=1), line
            line += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{_bad_line(path) or str(error).splitlines()[0]}; give whole numbers"
        ) from None


def _bad_line(path: Path) -> str:
    """Return what is wrong with the first line that is, if it can be told."""
    with path.open("rb") as file:
        names = _names(file.readline().decode("utf-8", "replace"))
        places = [names.index(name) for name in COLUMNS]
        for number, line in enumerate(file, start=2):
            cells = line.rstrip(b"\r\n").split(b",")
            if line.strip() and len(cells) != len(names):
                return f"line {number} has {len(cells)} cells under {len(names)} names"
            for name, place in zip(COLUMNS, places, strict=True):
                if line.strip() and not cells[place].strip().removeprefix(b"-").isdigit():
                    return f"line {number}: {name} is {cells[place].decode('utf-8', 'replace')!r}"
    return ""


def _check(rows: Rows, line: int, experts: int | None) -> None:
    limits = (2**62, MOST, experts or MOST, 2**31)
    outside = (rows < 0) | (rows >= limits)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        name = COLUMNS[column]
        raise ValueError(
            f"line {line + row}: {name} {rows[row, column]} is outside 0 <= {name} < "
            f"{limits[column]}; layers and experts count from 0, a count is a number of tokens"
        )


def _check_order(steps: NDArray[np.int64], before: int, line: int) -> None:
    ahead = np.diff(steps, prepend=before)
    if ahead.min() < 0 or ahead.max() > 1:
        row = int(np.argmax((ahead < 0) | (ahead > 1)))
        raise ValueError(
            f"line {line + row}: step {steps[row]} follows step {steps[row] - ahead[row]}; order "
            "the rows by step, and give an idle step a row of count 0"
        )


def _counted(
    rows: Rows, start: int, first: int, shape: tuple[int, int], about: About, top_k: int
) -> Iterator[RoutingTrace]:
    """Yield the counts of whole steps, the first of them ``start``."""
    steps = int(rows[-1, 0]) - start + 1
    cells = np.ravel_multi_index((rows[:, 0] - start, rows[:, 1], rows[:, 2]), (steps, *shape))
    counts: NDArray[Any] = np.zeros((steps, *shape), dtype=np.int32)
    counts.reshape(-1)[cells] = rows[:, 3]
    seen = np.bincount(cells)
    if seen.max() > 1:
        step, layer, expert = np.unravel_index(int(np.argmax(seen > 1)), counts.shape)
        raise ValueError(
            f"step {start + step}, layer {layer}, expert {expert} has {seen.max()} rows; give one"
        )
    yield counts_chunk(counts, start - first, about, top_k)


def write(trace: RoutingTrace | StoredTrace, path: Path) -> None:
    """Write a row for every step, layer and expert."""
    import pyarrow as pa
    from pyarrow import csv

    schema = pa.schema([(name, pa.int64()) for name in COLUMNS])
    options = csv.WriteOptions(include_header=False, quoting_style="none")
    before = 0
    with path.open("wb") as file:
        file.write(",".join(COLUMNS).encode() + b"\n")
        for chunk in trace.blocks():
            places = np.unravel_index(np.arange(chunk.counts.size), chunk.counts.shape)
            columns = [places[0] + before, places[1], places[2], chunk.counts.ravel()]
            arrays = [pa.array(np.asarray(column, dtype=np.int64)) for column in columns]
            csv.write_csv(pa.Table.from_arrays(arrays, schema=schema), file, options)
            before += chunk.num_steps

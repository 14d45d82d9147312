"""Plain matrices of counts: what a script saves with one call of numpy, or a spreadsheet.

* ``.npy`` of numbers [layers, experts]: one step. (Three axes are the balancing competition's.)
* ``.npz`` with one array, or one that is named ``counts``: [layers, experts], one step, or
  [steps, layers, experts]. ``time_s`` beside ``counts``, the second at which each step starts, is
  kept.
* ``.csv`` without a header: a row of experts' counts for each layer, one step.
* ``.csv`` with the columns ``step``, ``layer``, ``expert`` and ``count`` in its first line, in any
  order: :mod:`traces.formats.matrix_rows`.

Counts are whole numbers. ``top_k`` is in none of them. podlab writes all but the first kind of CSV;
an ``.npy`` holds one step.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from traces.formats import matrix_rows
from traces.formats.about import About
from traces.formats.chunks import counts_chunk, in_steps, steps_at_once
from traces.formats.npy_stream import NpyStream
from traces.routing import RoutingTrace
from traces.step_times import checked_times
from traces.store import StoredTrace
from traces.tokens import TokenTrace

NAME, TIMES = "counts", "time_s"
FIRST_BYTES = 2**16


def recognises(path: Path) -> bool:
    """Whether it is an ``.npy`` of two axes, an ``.npz`` with ``counts``, or such a CSV."""
    try:
        if not path.is_file():
            return False
        if path.suffix == ".npy":
            with path.open("rb") as file:
                return len(NpyStream(file).shape) == 2
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                return f"{NAME}.npy" in archive.namelist()
        if path.suffix == ".csv":
            with path.open("rb") as file:
                line = file.readline(FIRST_BYTES).decode("ascii")
            return matrix_rows.has_header(line) or all(map(_is_count, line.split(",")))
    except Exception:  # a damaged archive fails in many ways; it is then not recognised
        return False
    return False


def _is_count(cell: str) -> bool:
    return cell.strip().removesuffix(".0").isdecimal()


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time."""
    if path.is_dir():
        raise ValueError("is a folder; give one .npy, .npz or .csv file")
    top_k = about.needed_top_k()
    if path.suffix == ".npy":
        with path.open("rb") as file:
            if len(NpyStream(file).shape) != 2:
                raise ValueError("has other axes than [layers, experts]; give these")
            file.seek(0)
            yield from _array(NpyStream(file), about, top_k, None)
    elif path.suffix == ".npz":
        yield from _archive(path, about, top_k)
    elif path.suffix == ".csv":
        yield from _csv(path, about, top_k)
    else:
        raise ValueError(f"ends in {path.suffix!r}; a matrix is in an .npy, an .npz or a .csv")


def _array(
    counts: NpyStream, about: About, top_k: int, times: NDArray[np.float64] | None
) -> Iterator[RoutingTrace]:
    if len(counts.shape) == 2:
        steps_at_once(*counts.shape)
        for chunk in counts.chunks(max(1, counts.shape[0])):
            yield counts_chunk(chunk[None], 0, about, top_k, time_s=times)
        return
    if len(counts.shape) != 3:
        raise ValueError(
            f"has shape {counts.shape}; give [layers, experts] or [steps, layers, experts]"
        )
    start = 0
    for chunk in counts.chunks(steps_at_once(*counts.shape[1:], counts.dtype.itemsize)):
        stop = start + len(chunk)
        part = None if times is None else times[start:stop]
        yield counts_chunk(chunk, start, about, top_k, time_s=part)
        start = stop


def _archive(path: Path, about: About, top_k: int) -> Iterator[RoutingTrace]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive)) as file:
            counts = NpyStream(file)
            steps = counts.shape[0] if len(counts.shape) == 3 else 1
            yield from _array(counts, about, top_k, _times(archive, steps))
    except ValueError:
        raise
    except Exception as error:  # damaged bytes make zipfile and its codecs raise nearly anything
        raise ValueError(
            f"is no whole .npz ({error or type(error).__name__}); save it again with np.savez"
        ) from None


def _times(archive: zipfile.ZipFile, steps: int) -> NDArray[np.float64] | None:
    if f"{TIMES}.npy" not in archive.namelist():
        return None
    with archive.open(f"{TIMES}.npy") as file:
        times = NpyStream(file)
        if times.shape != (steps,):  # before anything of that size is read
            raise ValueError(
                f"{TIMES} has shape {times.shape} != ({steps},) steps; give one a step"
            )
        return checked_times(np.concatenate(list(times.chunks(max(1, steps)))), steps)


def _member(archive: zipfile.ZipFile) -> str:
    names = [name for name in archive.namelist() if name.endswith(".npy")]
    names = [name for name in names if name != f"{TIMES}.npy"]
    if f"{NAME}.npy" in names:
        return f"{NAME}.npy"
    if len(names) != 1:
        held = ", ".join(sorted(name.removesuffix(".npy") for name in names)) or "none"
        raise ValueError(f"holds the arrays {held}; name the one of the counts {NAME!r}")
    return names[0]


def _csv(path: Path, about: About, top_k: int) -> Iterator[RoutingTrace]:
    with path.open("rb") as file:
        first = file.readline(FIRST_BYTES)
    if matrix_rows.has_header(first.decode("utf-8", "replace")):
        yield from matrix_rows.blocks(path, about, top_k)
        return
    rows: list[list[float]] = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                rows.append([float(cell) for cell in line.split(b",")])
            except ValueError as error:
                raise ValueError(
                    f"line {number}: {error}; give counts between commas, a line a layer, or name "
                    "the columns step,layer,expert,count in the first line"
                ) from None
            if len(rows[-1]) != len(rows[0]):
                raise ValueError(
                    f"line {number} has {len(rows[-1])} counts, the first has {len(rows[0])}; give "
                    "one for every expert"
                )
    if not rows:
        raise ValueError("is empty; give a line of experts' counts for each layer")
    yield counts_chunk([rows], 0, about, top_k)


def write(trace: RoutingTrace | TokenTrace | StoredTrace, path: Path) -> None:
    """Write an ``.npz`` of ``counts``, an ``.npy`` of one step, or a CSV of four columns."""
    trace = in_steps(trace)
    shape = (trace.num_steps, trace.num_layers, trace.num_experts)
    if path.suffix == ".npz":
        _write_archive(trace, shape, path)
    elif path.suffix == ".csv":
        matrix_rows.write(trace, path)
    elif path.suffix == ".npy" and trace.num_steps == 1:
        with path.open("wb") as file:
            np.save(file, next(trace.blocks()).counts[0], allow_pickle=False)
    elif path.suffix == ".npy":
        raise ValueError(f"an .npy of {shape[0]} steps is the format 'competition'; write that")
    else:
        raise ValueError(f"a matrix ends in .npy, .npz or .csv, not in {path.suffix!r}")


def _write_archive(
    trace: RoutingTrace | StoredTrace, shape: tuple[int, int, int], path: Path
) -> None:
    times: list[NDArray[np.float64]] = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(f"{NAME}.npy", "w", force_zip64=True) as file:
            header = {"descr": "<i4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for chunk in trace.blocks():
                file.write(np.ascontiguousarray(chunk.counts, dtype="<i4").data)
                times += [] if chunk.time_s is None else [chunk.time_s]
        if times:
            with archive.open(f"{TIMES}.npy", "w") as file:
                np.lib.format.write_array(file, np.concatenate(times), allow_pickle=False)

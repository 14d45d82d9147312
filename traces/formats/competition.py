"""The balancing competition: one ``.npy`` of integers [steps, layers, experts], usually int32.

The file is read a few steps at a time. ``top_k`` is not in it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from traces.formats.about import About
from traces.formats.chunks import counts_chunk, in_steps, steps_at_once
from traces.formats.npy_stream import NpyStream
from traces.routing import RoutingTrace
from traces.store import StoredTrace
from traces.tokens import TokenTrace


def recognises(path: Path) -> bool:
    """Whether it is an ``.npy`` of numbers in three axes."""
    if path.suffix != ".npy" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return len(NpyStream(file).shape) == 3
    except (ValueError, OSError):
        return False


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time."""
    with path.open("rb") as file:
        counts = NpyStream(file)
        if len(counts.shape) != 3:
            raise ValueError(f"has shape {counts.shape}; give [steps, layers, experts]")
        top_k = about.needed_top_k()
        steps = steps_at_once(*counts.shape[1:], counts.dtype.itemsize)
        start = 0
        for chunk in counts.chunks(steps):
            yield counts_chunk(chunk, start, about, top_k)
            start += len(chunk)


def write(trace: RoutingTrace | TokenTrace | StoredTrace, path: Path) -> None:
    """Write int32 counts; a stored trace is read and written a chunk at a time."""
    trace = in_steps(trace)
    shape = (trace.num_steps, trace.num_layers, trace.num_experts)
    with path.open("wb") as file:
        header = {"descr": "<i4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in trace.blocks():
            file.write(np.ascontiguousarray(chunk.counts, dtype="<i4").data)

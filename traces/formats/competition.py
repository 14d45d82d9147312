"""The balancing competition: one ``.npy`` of integers [steps, layers, experts], usually int32.

The file is mapped and read a few steps at a time. ``top_k`` is not in it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from traces.formats.about import About
from traces.routing import RoutingTrace
from traces.store import StoredTrace

BLOCK_BYTES = 16 * 2**20


def recognises(path: Path) -> bool:
    """Whether it is an ``.npy`` of three axes."""
    if path.suffix != ".npy" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read = np.lib.format.read_array_header_2_0
            return len(read(file)[0]) == 3
    except (ValueError, OSError):
        return False


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the counts, some steps at a time."""
    counts = np.load(path, mmap_mode="r", allow_pickle=False)
    if counts.ndim != 3:
        raise ValueError(f"has shape {counts.shape}; give [steps, layers, experts]")
    top_k = about.needed_top_k()
    steps = max(1, BLOCK_BYTES // max(1, counts[:1].nbytes))
    for start in range(0, max(1, len(counts)), steps):
        piece = counts[start : start + steps]
        yield RoutingTrace(piece, about.model, top_k, about.phase)


def write(trace: RoutingTrace | StoredTrace, path: Path) -> None:
    """Write int32 counts; a stored trace is read and written a piece at a time."""
    shape = (trace.num_steps, trace.num_layers, trace.num_experts)
    with path.open("wb") as file:
        header = {"descr": "<i4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for piece in trace.blocks():
            file.write(np.ascontiguousarray(piece.counts, dtype="<i4").data)

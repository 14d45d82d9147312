"""vLLM's EPLB load window: an ``.npz`` or ``.pt`` of two tensors, or a folder of such files.

vLLM 0.33.0 writes no load itself; these are fields of ``EplbModelState`` in
``vllm/distributed/eplb/eplb_state.py``, saved under their names:

* ``expert_load_window`` [window, layers, physical experts]: tokens that one rank counted in the
  last steps, a ring;
* ``physical_to_logical_map`` [layers, physical experts], -1 an empty slot;
* ``expert_load_window_step``, one integer, in an ``.npz``, if at hand: where the ring begins.

In a folder, names end in ``rank<number>`` where several ranks saved theirs, ``load_3_rank0.npz``:
files that differ in the rank alone are summed, the others follow each other by the numbers in
their names. Steps without any token are rows of the ring not used yet, and are left out.
``top_k`` is not in it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.formats import named_arrays
from traces.formats.about import About
from traces.formats.physical import checked_map, logical_counts
from traces.formats.rank_files import by_time
from traces.routing import RoutingTrace

AXES = {
    "expert_load_window": "window, layers, physical experts",
    "physical_to_logical_map": "layers, physical experts",
}
BLOCK_STEPS = 64


def recognises(path: Path) -> bool:
    """Whether it, or the first file of a folder, has ``expert_load_window``."""
    return named_arrays.has(path, "expert_load_window")


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the steps of each window."""
    groups = [[path]]
    if path.is_dir():
        groups = by_time(path, (".npz", ".pt"), named_arrays.NAME)
    top_k, experts, empty = about.needed_top_k(), about.experts, True
    for group in groups:
        total: NDArray[Any] | None = None
        for file in group:
            load, slots = _read(file)
            experts = experts or int(slots.max()) + 1
            try:
                checked_map(slots, len(slots), slots.shape[1], experts)
                found = logical_counts(load, slots, experts)
            except ValueError as error:
                raise ValueError(f"{file.name}: {error}") from None
            if total is not None and total.shape != found.shape:
                raise ValueError(f"{file.name} has {found.shape}, another rank {total.shape}")
            total = found if total is None else total + found
        assert total is not None
        busy = total[total.any(axis=(1, 2))]
        for start in range(0, len(busy), BLOCK_STEPS):
            empty = False
            chunk = busy[start : start + BLOCK_STEPS]
            yield RoutingTrace(chunk, about.model, top_k, about.phase)
    if empty:
        raise ValueError("expert_load_window is 0 throughout; save it while requests are served")


def _read(file: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
    found = named_arrays.read(file, AXES)
    load = found["expert_load_window"]
    if load.size == 0:
        raise ValueError(
            f"{file.name}: expert_load_window has shape {load.shape}; no axis is empty"
        )
    try:
        slots = checked_map(found["physical_to_logical_map"], load.shape[1], load.shape[2])
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None
    start = _start(file, len(load))
    return np.concatenate([load[start:], load[:start]]), slots


def _start(file: Path, window: int) -> int:
    """Return where the ring begins: 0 unless the file says."""
    key = "expert_load_window_step"
    if file.suffix == ".pt" or not named_arrays.has(file, key):
        return 0
    step = named_arrays.scalar(file, key)
    if not 0 <= step < window:
        raise ValueError(f"{file.name}: {key} = {step} is outside 0 <= step < {window}")
    return step

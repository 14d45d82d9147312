"""vLLM-Ascend's expert load: an ``.npz`` or ``.pt`` of two tensors, or a folder of such files.

vLLM-Ascend 0.23.0 records expert maps but writes no load to disk. These are the two entries that
its updater puts into ``shared_dict`` (``vllm_ascend/eplb/eplb_updator.py``), under their names:

* ``moe_load`` [layers, ranks, local experts], the tokens of one collection interval over all
  ranks, or [steps, layers, ranks, local experts] with ``eplb_policy_type`` 3 (FlashLB);
* ``expert_maps`` [layers, ranks, experts]: local slot of each expert on each rank, -1 where the
  rank does not have it.

Files of a folder follow each other by the numbers in their names; with policies other than 3 each
gives one step. ``top_k`` is not in it.
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
from traces.header import whole_numbers
from traces.routing import RoutingTrace

LOAD = "layers, ranks, local experts"
MAPS = "layers, ranks, experts"


def recognises(path: Path) -> bool:
    """Whether it, or the first file of a folder, has ``moe_load``."""
    return named_arrays.has(path, "moe_load")


def blocks(path: Path, about: About) -> Iterator[RoutingTrace]:
    """Yield the steps of each file."""
    groups = [[path]]
    if path.is_dir():
        groups = by_time(path, (".npz", ".pt"), r"(?P<time>.+)")
    top_k = about.needed_top_k()
    for file in [file for group in groups for file in group]:
        try:
            found = named_arrays.read(file, {"expert_maps": MAPS})
            load = _load(file)
            layers, ranks, local = load.shape[1:]
            slots = _slots(found["expert_maps"], layers, ranks, local)
            flat = load.reshape(len(load), layers, ranks * local)
            counts = logical_counts(flat, slots, found["expert_maps"].shape[2])
            yield RoutingTrace(counts, about.model, top_k, about.phase)
        except ValueError as error:
            text = str(error).removeprefix(f"{file.name}: ")
            raise ValueError(f"{file.name}: {text}") from None


def _load(file: Path) -> NDArray[Any]:
    """Return [steps, layers, ranks, local experts]."""
    try:
        load = named_arrays.read(file, {"moe_load": LOAD})["moe_load"][None]
    except ValueError as error:
        if "has shape" not in str(error):
            raise
        load = named_arrays.read(file, {"moe_load": f"steps, {LOAD}"})["moe_load"]
    if load.size == 0:
        raise ValueError(f"moe_load has shape {load.shape}; no axis may be empty")
    return load


def _slots(maps: Any, layers: int, ranks: int, local: int) -> NDArray[np.int64]:
    """Return [layers, slots] logical expert of each slot."""
    found = whole_numbers(maps, "expert_maps", ("layers", "ranks", "experts")).astype(np.int64)
    if found.shape[:2] != (layers, ranks):
        raise ValueError(
            f"expert_maps has {found.shape[:2]} layers and ranks, moe_load {(layers, ranks)}; "
            "save both at one time"
        )
    if found.size == 0 or found.min() < -1 or found.max() >= local:
        raise ValueError(
            f"expert_maps holds ids outside -1 <= id < {local} local experts; save both at one time"
        )
    slots = np.full((layers, ranks, local), -1, dtype=np.int64)
    layer, rank, expert = np.nonzero(found >= 0)
    place = (layer, rank, found[layer, rank, expert])
    if len(np.unique(np.ravel_multi_index(place, slots.shape))) < len(layer):
        raise ValueError("expert_maps gives one local slot to two experts; save it again")
    slots[place] = expert
    return checked_map(slots.reshape(layers, -1), layers, ranks * local, found.shape[2])

"""The parts of a placement file format."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lb import Placement


class SlotMap(NamedTuple):
    """Content of a file: [layers, slots] expert of each slot, and the ranks if it names them."""

    physical_to_logical: Any
    num_ranks: int | None = None


@dataclass(frozen=True)
class PlacementFormat:
    """A kind of file that holds a placement.

    Parameters
    ----------
    endings
        Endings of its file names. They decide which formats a file may have.
    write
        Called with the placement, the number of the first MoE layer in the model and the number of
        layers of the model (or None); returns the content of the file.
    read
        Called with the content of a file; returns its slot map, or None if the content belongs to
        another format with the same ending. Raises ValueError if the content is damaged.
    numbered
        Whether the file numbers the layers of the model.
    padded
        Whether the file has a row for each layer of the model, dense ones too.
    """

    endings: tuple[str, ...]
    write: Callable[[Placement, int, int | None], str | bytes]
    read: Callable[[bytes], SlotMap | None]
    numbered: bool = False
    padded: bool = False


def engine_maps(placement: Placement) -> dict[str, NDArray[np.int64]]:
    """Return the three maps of a placement by the names that SGLang and vLLM give them."""
    return {
        "physical_to_logical_map": placement.physical_to_logical,
        "logical_to_physical_map": placement.logical_to_physical,
        "logical_replica_count": placement.replica_count,
    }


def json_maps(placement: Placement) -> dict[str, list[Any]]:
    """Return the same as nested lists."""
    return {name: array.tolist() for name, array in engine_maps(placement).items()}


#: Keys of a slot map in a JSON object. SGLang and vLLM use the first.
MAP_KEYS = ("physical_to_logical_map", "physical_to_logical")


def read_json_map(content: bytes) -> SlotMap | None:
    """Return the slot map of a JSON object that has one of ``MAP_KEYS``, or of a bare JSON list."""
    value = json.loads(content)
    if isinstance(value, list):
        return SlotMap(value)
    keys = [key for key in MAP_KEYS if isinstance(value, dict) and key in value]
    if len(keys) > 1:
        raise ValueError(f"it has both {' and '.join(keys)}; keep one of them")
    return SlotMap(value[keys[0]], value.get("num_ranks")) if keys else None

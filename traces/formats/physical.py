"""Convert counts and ids of physical experts to logical ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.header import check_range, whole_numbers

AXES = ("steps", "layers", "slots")


def checked_map(
    values: Any, num_layers: int, num_slots: int, num_experts: int | None = None
) -> NDArray[np.int64]:
    """Return a physical-to-logical map [layers, slots]; -1 is an empty slot.

    Raises
    ------
    ValueError
        If its shape is another, an id is out of range, or it names no expert at all.
    """
    name = "physical_to_logical_map"
    found = whole_numbers(values, name, ("layers", "slots")).astype(np.int64)
    if found.shape != (num_layers, num_slots):
        raise ValueError(
            f"{name} has shape {found.shape}, the counts need ({num_layers}, {num_slots}); "
            "give the map of the same recording"
        )
    below = 2**16 if num_experts is None else num_experts
    bad = (found < -1) | (found >= below)
    if bad.any():
        layer, slot = np.argwhere(bad)[0]
        raise ValueError(
            f"{name} at layer {layer}, slot {slot} is {found[layer, slot]}, outside -1 <= id < "
            f"{below}; -1 is an empty slot, give the model's number of experts"
        )
    if not (found >= 0).any():
        raise ValueError(f"{name} names no expert; give a slot for each")
    return found


def logical_counts(physical: Any, slots: NDArray[np.int64], num_experts: int) -> NDArray[Any]:
    """Add the counts of each expert's replicas.

    Parameters
    ----------
    physical
        [steps, layers, slots] tokens.
    slots
        [layers, slots] logical expert of each slot, -1 where it is empty.
    num_experts
        Logical experts of one layer.

    Returns
    -------
    ndarray
        [steps, layers, experts].

    Raises
    ------
    ValueError
        If a count is negative or fractional, or an empty slot has tokens.
    """
    counts = whole_numbers(physical, "counts", AXES)
    check_range(counts, "counts", AXES, 2**31, "a count is a number of tokens")
    lost = (slots < 0)[None] & (counts > 0)
    if lost.any():
        step, layer, slot = np.argwhere(lost)[0]
        raise ValueError(
            f"step {step}, layer {layer}, slot {slot} has tokens but no expert (-1); "
            "give the map of the same recording"
        )
    steps, layers, _ = counts.shape
    logical = np.zeros((steps, layers, num_experts), dtype=np.int64)
    for layer in range(layers):
        used = slots[layer] >= 0
        into = logical[:, layer].T  # experts first: a row for each slot to add to
        np.add.at(into, slots[layer, used], counts[:, layer, used].T)
    return logical

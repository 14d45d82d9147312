"""Call and answer of an entry to the balancing competition."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from lb.checked import checked_integer

#: ``rebalance(hotness [W, L, E], n_device, n_red_expert) -> (change, layers, table, aux)``.
Rebalance = Callable[[NDArray[np.int32], int, int], tuple[Any, Any, Any, Any]]


def checked_answer(answer: Any, placement: lb.Placement) -> tuple[NDArray[np.int64], list[int]]:
    """Return the [layers, slots] table and the layers to load of an entry's answer.

    Raises
    ------
    ValueError
        If the answer is illegal while ``placement`` is loaded.
    """
    if not isinstance(answer, tuple) or len(answer) != 4:
        raise ValueError(
            f"the answer is a {type(answer).__name__}; give (change, layers, table, aux)"
        )
    change, priority, table, _ = answer
    if not change:
        return placement.physical_to_logical, []
    layers = placement.num_layers
    wanted_shape = (layers, placement.num_ranks, placement.slots_per_rank)
    if np.shape(table) != wanted_shape:
        raise ValueError(f"the table has shape {np.shape(table)}; give {wanted_shape}")
    wanted = lb.Placement(np.reshape(table, (layers, -1)), placement.num_ranks)
    if wanted.num_experts != placement.num_experts:
        raise ValueError(
            f"the table places {wanted.num_experts} experts of {placement.num_experts}"
        )
    if np.ndim(priority) != 1:
        raise ValueError(f"layers_priority = {priority!r} is no list; name the layers to load")
    order = [checked_integer(layer, "layers_priority", at_least=0) for layer in priority]
    if len(set(order)) < len(order) or any(layer >= layers for layer in order):
        raise ValueError(f"layers_priority = {order} must name layers below {layers}, each once")
    return wanted.physical_to_logical, order

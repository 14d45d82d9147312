"""Keep experts that stay on a rank in their old slots, because engines copy what changes slot."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.kernel import kernel
from lb.placement import Placement


def aligned(placement: Placement, current: ArrayLike) -> Placement:
    """Return ``placement`` with the slots of each rank reordered to match what is loaded.

    No expert changes its rank. An expert that its rank holds already keeps the slot that it has
    there; the newcomers fill the other slots, in the order in which the placement names them.

    Parameters
    ----------
    placement
        What is wanted.
    current
        [layers, slots] logical expert in each slot now; a negative number is an empty slot.

    Raises
    ------
    ValueError
        If ``current`` has another shape than the placement.

    Examples
    --------
    >>> wanted = Placement([[2, 0, 3, 1]], num_ranks=2)
    >>> aligned(wanted, [[0, 1, 2, 3]]).physical_to_logical
    array([[0, 2, 1, 3]])
    """
    wanted = placement.physical_to_logical
    before = np.ascontiguousarray(current, dtype=np.int64)
    if before.shape != wanted.shape:
        raise ValueError(
            f"current has shape {before.shape} for a placement of shape {wanted.shape}; "
            "slots align where layers and slots are the same"
        )
    slots: NDArray[Any] = np.empty_like(wanted)
    _align(wanted, before, placement.num_ranks, slots)
    return Placement(slots, placement.num_ranks)


@kernel
def _align(
    wanted: NDArray[np.int64], before: NDArray[np.int64], ranks: int, slots: NDArray[np.int64]
) -> None:
    layers, total = wanted.shape
    width = total // ranks
    settled = np.empty(width, dtype=np.bool_)  # slots that keep their expert
    seated = np.empty(width, dtype=np.bool_)  # wanted experts that have such a slot
    for layer in range(layers):
        for start in range(0, total, width):
            settled[:] = False
            seated[:] = False
            # Step 1: experts that the rank holds already keep their slots.
            for slot in range(width):
                for i in range(width):
                    if not seated[i] and wanted[layer, start + i] == before[layer, start + slot]:
                        slots[layer, start + slot] = wanted[layer, start + i]
                        settled[slot] = True
                        seated[i] = True
                        break
            # Step 2: the others fill the free slots in the order of the placement.
            slot = 0
            for i in range(width):
                if seated[i]:
                    continue
                while settled[slot]:
                    slot += 1
                slots[layer, start + slot] = wanted[layer, start + i]
                slot += 1

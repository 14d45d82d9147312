"""An order of overwriting slots that keeps a copy of every expert reachable all the time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import lb
from lb.kernel import kernel

#: The slot keeps what it holds.
KEPT = -1
#: The slot takes part in an exchange of sole copies, after all rounds.
EXCHANGED = 2**31


class Rounds(NamedTuple):
    """The round in which each slot is overwritten, and its new expert.

    Parameters
    ----------
    target
        [layers, slots] the new placement, its slots renumbered within each rank so that what a rank
        keeps stays where it is.
    turn
        [layers, slots] round from 0 on, or :data:`KEPT`, or :data:`EXCHANGED`.
    weights
        [layers, slots] expert weights that the rank receives for the slot: 0 where it holds the
        expert in another one, else 1. They add up to ``after.moves_from(before)``.
    """

    target: NDArray[np.int64]
    turn: NDArray[np.int64]
    weights: NDArray[np.int64]


def rounds(before: lb.Placement, after: lb.Placement) -> Rounds:
    """Order the overwriting of slots.

    A round takes the slots in their order. It disables a slot if the expert in it keeps another
    copy that is enabled, after the slots that the round has disabled so far. New experts count as
    copies from the next round on. This order is ours. The paper disables redundant slots, whose
    experts all have another copy, so it needs one round.

    Rounds go on until every slot left in a layer holds the only copy of its expert. These slots
    then hold as many different experts as there are slots. Each of these experts has a slot in the
    new placement, and that slot is one of those left: if it were another one, the expert would have
    a second copy there. So the slots pass their experts around in circles, and no order of slots
    keeps all experts reachable. Such slots are exchanged after all rounds.

    Parameters
    ----------
    before, after
        Placements of the same layers, experts, slots and ranks.
    """
    old = before.physical_to_logical
    # Step 1: renumber the new slots within each rank, so that what a rank keeps stays in place.
    target = np.empty_like(old)
    _keep_slots(old, after.physical_to_logical, before.num_ranks, target)
    # Step 2: give every slot that changes its round.
    turn = np.full_like(old, KEPT)
    _take_turns(old, target, before.num_experts, turn)
    # Step 3: count what each rank receives: an expert that it holds already costs nothing.
    weights = np.zeros_like(old)
    _count_weights(old, target, turn, before.num_ranks, weights)
    return Rounds(target, turn, weights)


@kernel
def _keep_slots(
    before: NDArray[np.int64], after: NDArray[np.int64], ranks: int, target: NDArray[np.int64]
) -> None:
    """Fill ``target``: first the experts that a rank keeps, then the others in the free slots."""
    layers, slots = before.shape
    width = slots // ranks
    for layer in range(layers):
        for first in range(0, slots, width):
            placed = np.zeros(width, dtype=np.bool_)
            for slot in range(first, first + width):
                target[layer, slot] = -1
                for place in range(width):
                    if not placed[place] and after[layer, first + place] == before[layer, slot]:
                        placed[place] = True
                        target[layer, slot] = before[layer, slot]
                        break
            place = 0
            for slot in range(first, first + width):
                if target[layer, slot] < 0:
                    while placed[place]:
                        place += 1
                    placed[place] = True
                    target[layer, slot] = after[layer, first + place]


@kernel
def _take_turns(
    before: NDArray[np.int64], target: NDArray[np.int64], experts: int, turn: NDArray[np.int64]
) -> None:
    """Fill ``turn`` for the slots whose expert changes."""
    layers, slots = before.shape
    for layer in range(layers):
        copies = np.zeros(experts, dtype=np.int64)
        left = 0
        for slot in range(slots):
            copies[before[layer, slot]] += 1
            if before[layer, slot] != target[layer, slot]:
                turn[layer, slot] = EXCHANGED  # unless a round takes it
                left += 1
        number = 0
        while left > 0:
            taken = 0
            for slot in range(slots):
                if turn[layer, slot] == EXCHANGED and copies[before[layer, slot]] > 1:
                    copies[before[layer, slot]] -= 1
                    turn[layer, slot] = number
                    taken += 1
            if taken == 0:
                break  # single copies alone are left: an exchange
            # New copies count only now: within a round they are still being loaded.
            for slot in range(slots):
                if turn[layer, slot] == number:
                    copies[target[layer, slot]] += 1
            left -= taken
            number += 1


@kernel
def _count_weights(
    before: NDArray[np.int64],
    target: NDArray[np.int64],
    turn: NDArray[np.int64],
    ranks: int,
    weights: NDArray[np.int64],
) -> None:
    """Fill ``weights`` with 1 where a rank receives an expert, 0 where it has it by then."""
    layers, slots = before.shape
    width = slots // ranks
    for layer in range(layers):
        for slot in range(slots):
            if turn[layer, slot] == KEPT:
                continue
            expert = target[layer, slot]
            first = slot - slot % width
            weights[layer, slot] = 1
            for other in range(first, first + width):
                held = before[layer, other] == expert
                sooner = turn[layer, other] < turn[layer, slot]
                # of two slots of one round, the first receives the expert for both
                sooner |= turn[layer, other] == turn[layer, slot] and other < slot
                if held or (target[layer, other] == expert and sooner):
                    weights[layer, slot] = 0
                    break

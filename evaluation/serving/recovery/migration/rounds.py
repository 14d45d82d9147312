"""In which order slots can be overwritten so that every expert can be reached all the time."""

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
    """When each slot is overwritten, and with what.

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

    In each round every slot that may be disabled is: one whose expert keeps an enabled copy without
    it, among those that are disabled in the same round too; earlier slots first. Their new experts
    count from the next round on. The order is ours; the paper disables redundant slots, whose
    experts all have another copy, and so needs one round.

    It goes on until the rest of a layer is an exchange: slots whose experts are their only copies.
    Then these experts differ, as many as slots; each still has a place in the new placement, and
    that is one of the same slots, for it would have a second copy otherwise. So the slots pass
    their experts around in circles, over ranks that lack them, and no order of slots alone
    could keep all of them reachable.

    Parameters
    ----------
    before, after
        Of the same layers, experts, slots and ranks.
    """
    old = before.physical_to_logical
    target = np.empty_like(old)
    _keep_slots(old, after.physical_to_logical, before.num_ranks, target)
    turn = np.full_like(old, KEPT)
    _take_turns(old, target, before.num_experts, turn)
    weights = np.zeros_like(old)
    _count_weights(old, target, turn, before.num_ranks, weights)
    return Rounds(target, turn, weights)


@kernel
def _keep_slots(
    before: NDArray[np.int64], after: NDArray[np.int64], ranks: int, target: NDArray[np.int64]
) -> None:
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
            found = 0
            for slot in range(slots):
                if turn[layer, slot] == EXCHANGED and copies[before[layer, slot]] > 1:
                    copies[before[layer, slot]] -= 1
                    turn[layer, slot] = number
                    found += 1
            if found == 0:
                break
            for slot in range(slots):
                if turn[layer, slot] == number:
                    copies[target[layer, slot]] += 1
            left -= found
            number += 1


@kernel
def _count_weights(
    before: NDArray[np.int64],
    target: NDArray[np.int64],
    turn: NDArray[np.int64],
    ranks: int,
    weights: NDArray[np.int64],
) -> None:
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
                sooner |= turn[layer, other] == turn[layer, slot] and other < slot
                if held or (target[layer, other] == expert and sooner):
                    weights[layer, slot] = 0
                    break

"""Improve one layer's placement: swap experts between ranks until no rank is above a level.

The vocabulary is that of :mod:`lb.packing`. Slots are numbered by falling weight here, so that the
slots which are lighter than one by a given amount stand together.
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import inlined, kernel
from lb.packing import holds

#: A swap that removes this part of a rank's excess is made without looking for a better one.
GOOD_PART = 0.6
#: Excess above which the least loaded rank alone is tried first: there nearly any swap helps.
FAR = 0.003


@kernel
def polish(
    table: NDArray[np.int64],
    weight: NDArray[np.float64],
    replicas: NDArray[np.int64],
    ranking: NDArray[np.int64],
    slowness: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    tolerance: float,
    most: int,
) -> float:
    """Swap experts between the slowest rank and others while that lowers its time.

    The level to come below is (1 + tolerance) times the time of perfect balance. A swap that brings
    both ranks most of the way there is made at once; where there is none, the one that leaves the
    lower peak of the two. Changes ``table`` and ``rank_load``; makes at most ``most`` swaps. No
    expert comes to sit twice on one rank.

    Returns
    -------
    float
        Time of the slowest rank over that of perfect balance, less 1; 0 for a layer without load.
    """
    width = table.shape[1]
    slots, expert_of, rank_of, slot_weight = _number_slots(table, weight, replicas, ranking)
    speed = np.empty_like(slowness)
    time = np.empty_like(rank_load)
    total, total_speed = 0.0, 0.0
    for rank in range(speed.size):
        speed[rank] = 1.0 / slowness[rank]
        time[rank] = rank_load[rank] * slowness[rank]
        total += rank_load[rank]
        total_speed += speed[rank]
    mean = total / total_speed
    level = (1.0 + tolerance) * mean
    bits = time.view(np.int64)
    for _ in range(most):
        slowest = _slowest(bits)
        peak = time[slowest]
        if peak <= level:
            break
        # Good enough: this part of the excess over the level is gone.
        good = peak - GOOD_PART * (peak - level)
        best, place, partner = peak, -1, -1
        # Far above the level: try the cheap search first, with one rank only.
        if peak > (1.0 + FAR) * level:
            best, place, partner = _swap_with_least(
                table, slots, expert_of, slot_weight, replicas, slowness, speed, rank_load, slowest
            )
        if best > good:
            place, partner = _best_swap(
                table,
                slots,
                expert_of,
                rank_of,
                slot_weight,
                replicas,
                slowness,
                speed,
                rank_load,
                slowest,
                good,
            )
        if partner < 0:
            break
        slot = slots[slowest, place]
        other = rank_of[partner]
        # Carry out the swap in slots, table, loads and times.
        for back in range(width):
            if slots[other, back] == partner:
                slots[other, back] = slot
                table[other, back] = expert_of[slot]
        slots[slowest, place] = partner
        table[slowest, place] = expert_of[partner]
        rank_of[slot] = other
        rank_of[partner] = slowest
        less = slot_weight[slot] - slot_weight[partner]
        rank_load[slowest] -= less
        rank_load[other] += less
        time[slowest] = rank_load[slowest] * slowness[slowest]
        time[other] = rank_load[other] * slowness[other]
    return time[_slowest(bits)] / mean - 1.0 if mean > 0.0 else 0.0


@kernel
def _number_slots(
    table: NDArray[np.int64],
    weight: NDArray[np.float64],
    replicas: NDArray[np.int64],
    ranking: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the slot numbers [ranks, slots_per_rank], and expert, rank and weight of each."""
    ranks, width = table.shape
    following = np.empty(weight.size, dtype=np.int64)
    number = 0
    for expert in ranking:
        following[expert] = number
        number += replicas[expert]
    slots = np.empty((ranks, width), dtype=np.int64)
    expert_of = np.empty(number, dtype=np.int64)
    rank_of = np.empty(number, dtype=np.int64)
    slot_weight = np.empty(number)
    for rank in range(ranks):
        for place in range(width):
            expert = table[rank, place]
            slot = following[expert]
            following[expert] += 1
            slots[rank, place] = slot
            expert_of[slot] = expert
            rank_of[slot] = rank
            slot_weight[slot] = weight[expert]
    return slots, expert_of, rank_of, slot_weight


@inlined
def _slowest(bits: NDArray[np.int64]) -> int:
    """Return the rank with the largest time, the first of equal ones.

    Bits of non-negative numbers are ordered like the numbers; a processor compares many at once.
    """
    most = bits[0]
    for rank in range(1, bits.size):
        most = max(most, bits[rank])
    slowest = 0
    while bits[slowest] != most:
        slowest += 1
    return slowest


@kernel
def _swap_with_least(
    table: NDArray[np.int64],
    slots: NDArray[np.int64],
    expert_of: NDArray[np.int64],
    slot_weight: NDArray[np.float64],
    replicas: NDArray[np.int64],
    slowness: NDArray[np.float64],
    speed: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    slowest: int,
) -> tuple[float, int, int]:
    """Return the peak after the best swap with the rank that can take most, its place and slot."""
    ranks, width = table.shape
    peak = rank_load[slowest] * slowness[slowest]
    # The rank that could take most before it is as slow as the slowest.
    least, most_free = 0, 0.0
    for rank in range(ranks):
        free = peak * speed[rank] - rank_load[rank]
        if free > most_free:
            least, most_free = rank, free
    best, best_place, best_partner = peak, -1, -1
    for place in range(width):
        slot = slots[slowest, place]
        for back in range(width):
            partner = slots[least, back]
            less = slot_weight[slot] - slot_weight[partner]
            after = max(
                (rank_load[slowest] - less) * slowness[slowest],
                (rank_load[least] + less) * slowness[least],
            )
            if after < best and _may_swap(
                table, replicas, slowest, expert_of[slot], least, expert_of[partner]
            ):
                best, best_place, best_partner = after, place, partner
    return best, best_place, best_partner


@inlined
def _best_swap(
    table: NDArray[np.int64],
    slots: NDArray[np.int64],
    expert_of: NDArray[np.int64],
    rank_of: NDArray[np.int64],
    slot_weight: NDArray[np.float64],
    replicas: NDArray[np.int64],
    slowness: NDArray[np.float64],
    speed: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    slowest: int,
    good: float,
) -> tuple[int, int]:
    """Return a place on the slowest rank and the slot to swap it with; -1, -1 if none helps."""
    ranks, width = table.shape
    own = slowness[slowest]
    load = rank_load[slowest]
    best, best_place, best_partner = load * own, -1, -1
    most = 0.0  # a larger difference would make any other rank slower than this one is
    for rank in range(ranks):
        most = max(most, best * speed[rank] - rank_load[rank])
    least = load - good / own  # what it takes to come that far
    for place in range(width):
        slot = slots[slowest, place]
        mine = slot_weight[slot]
        # Slots are numbered by falling weight: only later ones are lighter.
        partner = slot + 1
        # With some swap at hand, only good ones are still of interest.
        if best_partner >= 0:
            while partner < slot_weight.size and mine - slot_weight[partner] < least:
                partner += 1
        while partner < slot_weight.size:
            less = mine - slot_weight[partner]
            # Differences grow from here on.
            if less >= most:
                break
            other = rank_of[partner]
            after = max((load - less) * own, (rank_load[other] + less) * slowness[other])
            if after < best and _may_swap(
                table, replicas, slowest, expert_of[slot], other, expert_of[partner]
            ):
                best, best_place, best_partner = after, place, partner
                if after <= good:
                    break
            partner += 1
        if best <= good:
            break
    return best_place, best_partner


@inlined
def _may_swap(
    table: NDArray[np.int64],
    replicas: NDArray[np.int64],
    rank: int,
    expert: int,
    other: int,
    other_expert: int,
) -> bool:
    """Say whether two ranks may exchange two experts without holding one twice."""
    width = table.shape[1]
    # An expert with a single replica is on no other rank.
    allowed = rank != other
    if replicas[expert] > 1:
        allowed &= not holds(table, width, other, expert)
    if replicas[other_expert] > 1:
        allowed &= not holds(table, width, rank, other_expert)
    return allowed

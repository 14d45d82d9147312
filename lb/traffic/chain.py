"""Chains of swaps that reduce traffic, although single swaps of them may raise it."""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.traffic.state import TrafficLayer, TrafficState
from lb.traffic.swap import change_by_swap, stays_within, swap

#: Swaps that a chain goes on without a new lowest traffic. A choice of ours.
PATIENCE = 64


@kernel
def chain(layer: TrafficLayer, state: TrafficState, limit: float, least: float) -> bool:
    """Go on swapping although traffic rises, each slot once; keep the best prefix if it saves.

    The variable depth of Kernighan and Lin (1970, Bell System Technical Journal 49(2),
    doi:10.1002/j.1538-7305.1970.tb01770.x): out of a state that no swap improves, such as three
    communities dealt out in a circle. Each step moves the replica that gains most elsewhere.
    """
    ranks, width = state.table.shape
    locked = np.zeros((ranks, width), dtype=np.bool_)
    history = np.empty((ranks * width, 4), dtype=np.int64)
    traffic, lowest = 0.0, -least
    done, kept = 0, 0
    while done < len(history) and done < kept + PATIENCE:
        rank, slot = _most_to_gain(layer, state, locked)
        if rank < 0:
            break
        other, partner = _partner_that_moves_on(layer, state, rank, slot, limit, locked)
        # Without a partner within the limit this replica stays where it is.
        if other < 0:
            locked[rank, slot] = True
            continue
        change = change_by_swap(layer, state, rank, slot, other, partner)
        locked[other, partner] = True  # the displaced one may move on
        swap(layer, state, rank, slot, other, partner)
        history[done] = (rank, slot, other, partner)
        traffic += change
        done += 1
        if traffic < lowest:
            lowest = traffic
            kept = done
    # Undo the swaps after the lowest traffic, the last one first.
    for step in range(done - 1, kept - 1, -1):
        rank, slot, other, partner = history[step]
        swap(layer, state, rank, slot, other, partner)
    return kept > 0


@kernel
def _most_to_gain(
    layer: TrafficLayer, state: TrafficState, locked: NDArray[np.bool_]
) -> tuple[int, int]:
    """Return rank and slot of the replica whose move alone would save most, (-1, -1) if none."""
    best, best_rank, best_slot = -np.inf, -1, -1
    ranks, width = state.table.shape
    for rank in range(ranks):
        for slot in range(width):
            if locked[rank, slot]:
                continue
            expert = state.table[rank, slot]
            share = 1.0 / state.replicas[expert]
            for target in range(ranks):
                if state.held[expert, target]:
                    continue
                gain = state.moved[rank, slot, rank] - state.moved[rank, slot, target]
                pull = state.pull[expert]
                gain += share * (pull[layer.unit[target]] - pull[layer.unit[rank]])
                if gain > best:
                    best, best_rank, best_slot = gain, rank, slot
    return best_rank, best_slot


@kernel
def _partner_that_moves_on(
    layer: TrafficLayer,
    state: TrafficState,
    rank: int,
    slot: int,
    limit: float,
    locked: NDArray[np.bool_],
) -> tuple[int, int]:
    """Return the slot to swap with that costs least, what its expert gains further on included."""
    best, best_rank, best_slot = np.inf, -1, -1
    one, here = state.table[rank, slot], layer.unit[rank]
    for other in range(layer.slowness.size):
        if state.held[one, other]:
            continue
        for partner in range(state.table.shape[1]):
            two = state.table[other, partner]
            if locked[other, partner] or state.held[two, rank]:
                continue
            onward = 0.0
            away, pull = state.moved[other, partner], state.pull[two]
            for target in range(layer.slowness.size):
                if target == other:
                    continue
                gain = away[rank] - away[target]
                gain += (pull[layer.unit[target]] - pull[here]) / state.replicas[two]
                onward = max(onward, gain)
            change = change_by_swap(layer, state, rank, slot, other, partner) - onward
            if change < best and stays_within(layer, state, rank, one, other, two, limit):
                best, best_rank, best_slot = change, other, partner
    return best_rank, best_slot

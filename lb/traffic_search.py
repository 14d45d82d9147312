"""Local search for less traffic at a bounded peak: exchange nodes, ranks and slots."""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.traffic_state import (
    TrafficLayer,
    TrafficState,
    add_load,
    fill_moved,
    hold,
    peak,
    rebuild,
    source_traffic,
)

Ids = NDArray[np.int64]

#: Swaps that a chain goes on without a new lowest traffic. A choice of ours.
PATIENCE = 64


@kernel
def reduce_traffic(
    layer: TrafficLayer,
    state: TrafficState,
    node_ranks: int,
    limit: float,
    least: float,
    rounds: int,
) -> None:
    """Rearrange the table until no exchange helps, in at most so many rounds.

    Parameters
    ----------
    layer, state
        One layer; the state's table is changed in place.
    node_ranks
        Ranks of a node.
    limit
        Longest that a rank may take, rank load times slowness.
    least
        What must be saved to be an improvement, above what rounding could feign.
    rounds
        Rounds over all nodes, ranks and slots.
    """
    for _ in range(rounds):
        better = False
        if 1 < node_ranks < layer.slowness.size:
            better |= _exchange_nodes(layer, state, node_ranks, limit, least)
        better |= _exchange_ranks(layer, state, limit, least)
        better |= _exchange_slots(layer, state, limit, least)
        if not better and not _chain(layer, state, limit, least):
            return


@kernel
def _exchange_nodes(
    layer: TrafficLayer, state: TrafficState, node_ranks: int, limit: float, least: float
) -> bool:
    """Let two nodes trade all that they hold; what shares a node still does."""
    better = False
    ranks = layer.slowness.size
    now = source_traffic(layer, state)
    for one in range(0, ranks, node_ranks):
        for other in range(one + node_ranks, ranks, node_ranks):
            _trade(state, one, other, node_ranks)
            hold(layer, state)
            then = source_traffic(layer, state)
            if then < now - least and peak(state.rank_load, layer.slowness) <= limit:
                now = then
                better = True
            else:
                _trade(state, one, other, node_ranks)
    rebuild(layer, state)
    return better


@kernel
def _trade(state: TrafficState, one: int, other: int, count: int) -> None:
    """Trade the contents of ``count`` ranks from ``one`` on and from ``other`` on."""
    for rank in range(count):
        for slot in range(state.table.shape[1]):
            kept = state.table[one + rank, slot]
            state.table[one + rank, slot] = state.table[other + rank, slot]
            state.table[other + rank, slot] = kept


@kernel
def _exchange_ranks(layer: TrafficLayer, state: TrafficState, limit: float, least: float) -> bool:
    """Let two ranks trade all that they hold."""
    better = False
    for one in range(layer.slowness.size):
        for other in range(one + 1, layer.slowness.size):
            if _change_by_ranks(layer, state, one, other) > -least:
                continue
            _trade(state, one, other, 1)
            rebuild(layer, state)
            if peak(state.rank_load, layer.slowness) <= limit:
                better = True
            else:
                _trade(state, one, other, 1)
                rebuild(layer, state)
    return better


@kernel
def _change_by_ranks(layer: TrafficLayer, state: TrafficState, one: int, other: int) -> float:
    """Return the change of traffic if two ranks traded all; experts on both stay where they are."""
    change = 0.0
    apart = layer.unit[one] != layer.unit[other]
    for rank, target in ((one, other), (other, one)):
        for slot in range(state.table.shape[1]):
            expert = state.table[rank, slot]
            if state.held[expert, target]:
                continue
            change += state.moved[rank, slot, target] - state.moved[rank, slot, rank]
            if not apart:
                continue
            share = 1.0 / state.replicas[expert]
            pull = state.pull[expert]
            change -= share * (pull[layer.unit[target]] - pull[layer.unit[rank]])
            # each move alone counts those that come along as lost, those that leave as gained
            for companion in state.table[rank]:
                if not state.held[companion, target]:
                    change -= share * layer.pairs[expert, companion] / state.replicas[companion]
            for leaving in state.table[target]:
                if not state.held[leaving, rank]:
                    change += share * layer.pairs[expert, leaving] / state.replicas[leaving]
    return change


@kernel
def _exchange_slots(layer: TrafficLayer, state: TrafficState, limit: float, least: float) -> bool:
    """Give every slot in turn the best partner on another rank."""
    better = False
    ranks, width = state.table.shape
    free = np.zeros((ranks, width), dtype=np.bool_)
    for rank in range(ranks):
        for slot in range(width):
            change, other, partner = _best_partner(layer, state, rank, slot, limit, -least, free)
            if change < -least:
                _swap(layer, state, rank, slot, other, partner)
                better = True
    return better


@kernel
def _best_partner(
    layer: TrafficLayer,
    state: TrafficState,
    rank: int,
    slot: int,
    limit: float,
    below: float,
    locked: NDArray[np.bool_],
) -> tuple[float, int, int]:
    """Return the least change of traffic by a swap with another slot, and that slot.

    Only changes less than ``below`` are looked for, and (``below``, -1, -1) says there is none.
    """
    table, held, moved = state.table, state.held, state.moved
    one = table[rank, slot]
    here = layer.unit[rank]
    away = moved[rank, slot]
    pull, pairs = state.pull[one], layer.pairs[one]
    share = 1.0 / state.replicas[one]
    best, best_rank, best_slot = below, -1, -1
    for other in range(table.shape[0]):
        if held[one, other]:
            continue
        there = layer.unit[other]
        leaving = away[other] - away[rank] - share * (pull[there] - pull[here])
        for partner in range(table.shape[1]):
            two = table[other, partner]
            change = leaving + moved[other, partner, rank] - moved[other, partner, other]
            if here != there:
                # each move alone counts on finding the other expert where it no longer is
                gained = state.pull[two, here] - state.pull[two, there] - 2 * share * pairs[two]
                change -= gained / state.replicas[two]
            if change >= best or locked[other, partner] or held[two, rank]:
                continue
            if _stays_within(layer, state, rank, one, other, two, limit):
                best, best_rank, best_slot = change, other, partner
    return best, best_rank, best_slot


@kernel
def _chain(layer: TrafficLayer, state: TrafficState, limit: float, least: float) -> bool:
    """Swap on although traffic rises, into each slot once, and keep the best stretch if it fell.

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
        change, other, partner = _best_partner(layer, state, rank, slot, limit, np.inf, locked)
        if other < 0:
            locked[rank, slot] = True
            continue
        locked[other, partner] = True  # the displaced one may move on
        _swap(layer, state, rank, slot, other, partner)
        history[done] = (rank, slot, other, partner)
        traffic += change
        done += 1
        if traffic < lowest:
            lowest = traffic
            kept = done
    for step in range(done - 1, kept - 1, -1):
        rank, slot, other, partner = history[step]
        _swap(layer, state, rank, slot, other, partner)
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
def _stays_within(
    layer: TrafficLayer,
    state: TrafficState,
    rank: int,
    one: int,
    other: int,
    two: int,
    limit: float,
) -> bool:
    """Whether no rank takes longer than ``limit`` if expert ``one`` of a rank goes for ``two``."""
    if layer.near == 0:
        shift = layer.weight[one] - layer.weight[two]
        here = (state.rank_load[rank] - shift) * layer.slowness[rank]
        return bool(max(here, (state.rank_load[other] + shift) * layer.slowness[other]) <= limit)
    load = state.rank_load.copy()
    add_load(layer, state, one, -1.0, load)
    add_load(layer, state, two, -1.0, load)
    _hold(state, one, two, rank, other)
    add_load(layer, state, one, 1.0, load)
    add_load(layer, state, two, 1.0, load)
    _hold(state, two, one, rank, other)
    return bool(peak(load, layer.slowness) <= limit)


@kernel
def _hold(state: TrafficState, out: int, incoming: int, rank: int, other: int) -> None:
    state.held[out, rank] = False
    state.held[out, other] = True
    state.held[incoming, other] = False
    state.held[incoming, rank] = True


@kernel
def _swap(
    layer: TrafficLayer, state: TrafficState, rank: int, slot: int, other: int, partner: int
) -> None:
    """Swap the experts of two slots and bring the state up to date."""
    one, two = state.table[rank, slot], state.table[other, partner]
    add_load(layer, state, one, -1.0, state.rank_load)
    add_load(layer, state, two, -1.0, state.rank_load)
    _hold(state, one, two, rank, other)
    add_load(layer, state, one, 1.0, state.rank_load)
    add_load(layer, state, two, 1.0, state.rank_load)
    state.table[rank, slot], state.table[other, partner] = two, one
    for holder in range(layer.slowness.size):
        if state.held[one, holder] or state.held[two, holder]:
            for place in range(state.table.shape[1]):
                if state.table[holder, place] == one or state.table[holder, place] == two:
                    fill_moved(layer, state, holder, place)
    here, there = layer.unit[rank], layer.unit[other]
    if here == there:
        return
    for expert in range(state.replicas.size):
        shift = layer.pairs[one, expert] / state.replicas[one]
        shift -= layer.pairs[two, expert] / state.replicas[two]
        state.pull[expert, there] += shift
        state.pull[expert, here] -= shift

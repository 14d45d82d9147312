"""Local search for less traffic at a bounded peak: exchange nodes, ranks and slots."""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.traffic.chain import chain
from lb.traffic.state import (
    TrafficLayer,
    TrafficState,
    add_load,
    hold,
    peak,
    rebuild,
    source_traffic,
)
from lb.traffic.swap import stays_within, swap


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
        What an exchange must save to be made, above what rounding could feign.
    rounds
        Most rounds over all slots, ranks or nodes.
    """
    several = 1 < node_ranks < layer.slowness.size
    if several:
        _exchange_nodes(layer, state, node_ranks, limit, least)
    _exchange_ranks(layer, state, limit, least)
    for _ in range(rounds):
        # what is cheap first, and again as long as it helps
        if _exchange_slots(layer, state, limit, least):
            continue
        if _exchange_ranks(layer, state, limit, least):
            continue
        if several and _exchange_nodes(layer, state, node_ranks, limit, least):
            continue
        if not chain(layer, state, limit, least):
            return


@kernel
def _exchange_nodes(
    layer: TrafficLayer, state: TrafficState, node_ranks: int, limit: float, least: float
) -> bool:
    """Exchange all experts of two nodes, so that experts of one node stay together."""
    better = False
    ranks = layer.slowness.size
    # Experts on one node stay together, so that savings by co-activation stay: sources decide.
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
    # `moved` and `pull` were left behind by the trades.
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
    """Exchange all experts of two ranks."""
    better = False
    ranks, width = state.table.shape
    if width == 1:
        return False  # an exchange of slots
    for one in range(ranks):
        for other in range(one + 1, ranks):
            if _change_by_ranks(layer, state, one, other) >= -least:
                continue
            if _trade_stays_within(layer, state, one, other, limit):
                _trade_by_swaps(layer, state, one, other)
                better = True
    return better


@kernel
def _trade_stays_within(
    layer: TrafficLayer, state: TrafficState, one: int, other: int, limit: float
) -> bool:
    """Whether no rank takes longer than ``limit`` if two ranks trade what they hold."""
    load = state.rank_load.copy()
    # Under an even split a replica has the same load wherever it is.
    if layer.near == 0:
        load[one], load[other] = load[other], load[one]
        return bool(peak(load, layer.slowness) <= limit)
    _move_apart(layer, state, one, other, load)
    within = peak(load, layer.slowness) <= limit
    # The second call undoes the first.
    _move_apart(layer, state, one, other, load)
    return bool(within)


@kernel
def _move_apart(
    layer: TrafficLayer, state: TrafficState, one: int, other: int, load: NDArray[np.float64]
) -> None:
    """Exchange ``held`` of two ranks, but for experts on both; the table stays as it is."""
    for rank in (one, other):
        for expert in state.table[rank]:
            if state.held[expert, one] != state.held[expert, other]:
                add_load(layer, state, expert, -1.0, load)
                kept = state.held[expert, one]
                state.held[expert, one] = state.held[expert, other]
                state.held[expert, other] = kept
                add_load(layer, state, expert, 1.0, load)


@kernel
def _trade_by_swaps(layer: TrafficLayer, state: TrafficState, one: int, other: int) -> None:
    """Trade what two ranks hold, but for experts on both, and keep the state up to date."""
    width = state.table.shape[1]
    partners = np.empty(width, dtype=np.int64)
    found = 0
    for partner in range(width):
        if not state.held[state.table[other, partner], one]:
            partners[found] = partner
            found += 1
    place = 0
    for slot in range(width):
        if not state.held[state.table[one, slot], other]:
            swap(layer, state, one, slot, other, partners[place])
            place += 1


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
            change, other, partner = best_partner(layer, state, rank, slot, limit, -least, free)
            if change < -least:
                swap(layer, state, rank, slot, other, partner)
                better = True
    return better


@kernel
def best_partner(
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
            if stays_within(layer, state, rank, one, other, two, limit):
                best, best_rank, best_slot = change, other, partner
    return best, best_rank, best_slot

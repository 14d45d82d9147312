"""The state of one layer's traffic, and the change that each move would make."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lb.dispatchers.local_first import nearest
from lb.kernel import kernel

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


class TrafficLayer(NamedTuple):
    """Fixed data of one layer.

    Parameters
    ----------
    tokens
        [experts, ranks] tokens by the rank they start on.
    distance
        [ranks, ranks] cost of one token copy from one rank to another.
    reach
        [experts, ranks] cost of all tokens of an expert if one rank served them.
    pairs
        [experts, experts] symmetric, zero diagonal: what is saved if two experts share a unit.
    unit
        [ranks] the unit of each rank: its node, or itself where there is one node.
    weight
        [experts] load of one replica under an even split.
    slowness
        [ranks] seconds per token (1 where ranks are equal).
    far
        [ranks, ranks] of :func:`lb.dispatchers.local_first.farness`.
    near
        Ranks of a node where the nearest replicas go first; 0 where the split is even.
    """

    tokens: Array
    distance: Array
    reach: Array
    pairs: Array
    unit: Ids
    weight: Array
    slowness: Array
    far: Ids
    near: int


class TrafficState(NamedTuple):
    """Where the replicas are, and quantities derived from it; the search keeps them up to date.

    Parameters
    ----------
    table
        [ranks, slots_per_rank] expert of each slot, none twice on a rank.
    held
        [experts, ranks] whether a rank holds an expert.
    replicas
        [experts]
    rank_load
        [ranks] tokens, under the dispatcher in use.
    moved
        [ranks, slots_per_rank, ranks] traffic of a slot's expert if that slot's replica were on
        another rank and the others stayed.
    pull
        [experts, units] what is saved if the expert were on that unit alone.
    """

    table: Ids
    held: NDArray[np.bool_]
    replicas: Ids
    rank_load: Array
    moved: Array
    pull: Array


def traffic_state(layer: TrafficLayer, table: Ids) -> TrafficState:
    """Return the state of a table, which the search will change in place."""
    experts, ranks = layer.tokens.shape
    state = TrafficState(
        table,
        np.zeros((experts, ranks), dtype=np.bool_),
        np.bincount(table.ravel(), minlength=experts),
        np.zeros(ranks),
        np.zeros((*table.shape, ranks)),
        np.zeros((experts, int(layer.unit.max()) + 1)),
    )
    rebuild(layer, state)
    return state


@kernel
def rebuild(layer: TrafficLayer, state: TrafficState) -> None:
    """Derive everything anew from the table."""
    ranks, width = state.table.shape
    hold(layer, state)
    state.pull[:] = 0.0
    for rank in range(ranks):
        for slot in range(width):
            fill_moved(layer, state, rank, slot)
            expert = state.table[rank, slot]
            share = 1.0 / state.replicas[expert]
            unit = layer.unit[rank]
            for other in range(state.replicas.size):
                state.pull[other, unit] += share * layer.pairs[expert, other]


@kernel
def hold(layer: TrafficLayer, state: TrafficState) -> None:
    """Derive ``held`` and the rank loads from the table."""
    for rank in range(state.rank_load.size):
        state.rank_load[rank] = 0.0
        for expert in range(state.replicas.size):
            state.held[expert, rank] = False
        for expert in state.table[rank]:
            state.held[expert, rank] = True
    for expert in range(state.replicas.size):
        add_load(layer, state, expert, 1.0, state.rank_load)


@kernel
def _holders(state: TrafficState, expert: int) -> Ids:
    """Return the ranks that hold an expert, ascending."""
    held = np.empty(state.replicas[expert], dtype=np.int64)
    found = 0
    for rank in range(state.held.shape[1]):
        if state.held[expert, rank]:
            held[found] = rank
            found += 1
    return held


@kernel
def peak(rank_load: Array, slowness: Array) -> float:
    """Return how long the last rank takes."""
    last = 0.0
    for rank in range(slowness.size):
        last = max(last, rank_load[rank] * slowness[rank])
    return last


@kernel
def add_load(
    layer: TrafficLayer, state: TrafficState, expert: int, sign: float, rank_load: Array
) -> None:
    """Add an expert's load to its ranks, or take it away."""
    held = _holders(state, expert)
    if layer.near == 0 or held.size == 1:
        for rank in held:
            rank_load[rank] += sign * layer.weight[expert] * state.replicas[expert] / held.size
        return
    for source in range(layer.slowness.size):
        closest, serving = nearest(held, held.size, layer.far[source])
        amount = sign * layer.tokens[expert, source] / serving
        for rank in held:
            if layer.far[source, rank] == closest:
                rank_load[rank] += amount


@kernel
def fill_moved(layer: TrafficLayer, state: TrafficState, rank: int, slot: int) -> None:
    """Fill ``moved`` of one slot."""
    expert = state.table[rank, slot]
    # Each replica serves the same part of all tokens, wherever the others are.
    if layer.near == 0 or state.replicas[expert] == 1:
        for target in range(layer.slowness.size):
            state.moved[rank, slot, target] = layer.reach[expert, target] / state.replicas[expert]
        return
    held = _holders(state, expert)
    row = state.moved[rank, slot]
    row[:] = 0.0
    always = 0.0  # of sources that the replicas which stay serve, wherever this one is
    for source in range(row.size):
        # Step 1: what this source pays if only the replicas that stay serve it.
        closest, serving, total = 3, 0, 0.0
        for other in held:
            if other == rank or layer.far[source, other] > closest:
                continue
            if layer.far[source, other] < closest:
                closest, serving, total = layer.far[source, other], 0, 0.0
            serving += 1
            total += layer.distance[source, other]
        tokens = layer.tokens[expert, source]
        always += tokens * total / serving
        # Step 2: what it pays instead with this replica on the target: all its tokens go there if
        # that is nearer, an equal part if it is as near, none if it is farther.
        first, last = 0, row.size
        if closest < 2:  # only on the source's node this replica would make a difference
            first = source // layer.near * layer.near
            last = first + layer.near
        for target in range(first, last):
            cost = total / serving
            if layer.far[source, target] < closest:
                cost = layer.distance[source, target]
            elif layer.far[source, target] == closest:
                cost = (total + layer.distance[source, target]) / (serving + 1)
            row[target] += tokens * (cost - total / serving)
    for target in range(row.size):
        row[target] += always


@kernel
def _near_cost(layer: TrafficLayer, expert: int, held: Ids) -> float:
    """Return the traffic of an expert on these ranks when the nearest go first."""
    cost = 0.0
    for source in range(layer.slowness.size):
        closest, serving = nearest(held, held.size, layer.far[source])
        for rank in held:
            if layer.far[source, rank] == closest:
                cost += layer.tokens[expert, source] * layer.distance[source, rank] / serving
    return cost


@kernel
def source_traffic(layer: TrafficLayer, state: TrafficState) -> float:
    """Return the cost of all token copies, before any is saved by co-activation."""
    total = 0.0
    for expert in range(state.replicas.size):
        held = _holders(state, expert)
        if layer.near == 0 or held.size == 1:
            for rank in held:
                total += layer.reach[expert, rank] / held.size
        else:
            total += _near_cost(layer, expert, held)
    return total

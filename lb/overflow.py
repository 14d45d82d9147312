"""Placement with overflow replicas: groups stay on their node, redundant replicas may leave it.

The kernels work on one layer. ``copies`` [nodes, experts] says how many replicas of an expert a
node holds, ``home`` [experts] the node of its group; otherwise the vocabulary is that of
:mod:`lb.packing`.
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.packing import pack, replica_weight
from lb.rank_by_weight import rank_by_weight

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


@kernel
def place_with_overflow(
    load: Array, home: Ids, slowness: Array, cost: Array, nodes: int, table: Ids
) -> None:
    """Fill ``table`` [layers, ranks, slots_per_rank]: replicate, level the nodes, pack, swap.

    Parameters
    ----------
    load
        [layers, experts] tokens.
    home
        [layers, experts] node of each expert's group.
    slowness
        [ranks] time per unit of weight.
    cost
        Of :func:`lb.packing.cost_points`.
    nodes
        Nodes that the ranks fill.
    table
        [layers, ranks, slots_per_rank] to be filled.
    """
    layers, experts = load.shape
    ranks = slowness.size
    width = ranks // nodes
    rank_load = np.empty(ranks)
    for layer in range(layers):
        copies = np.zeros((nodes, experts), dtype=np.int64)
        # Step 1: one replica of each expert at home, redundant ones anywhere.
        weight = _replicate(load[layer], home[layer], slowness, cost, table.shape[2], copies)
        # Step 2: hand slots of light nodes to experts of the heaviest node.
        _level_nodes(load[layer], home[layer], slowness, cost, weight, copies)
        # Step 3: pack every node on its own.
        order = rank_by_weight(weight)
        for node in range(nodes):
            own = slice(node * width, (node + 1) * width)
            ranking = _ranking(order, copies[node], width)
            pack(weight, ranking, copies[node], slowness[own], table[layer, own], rank_load[own])
        # Step 4: swap single slots, across nodes too.
        _swap(weight, home[layer], slowness, table[layer], rank_load, copies)


@kernel
def _replicate(
    load: Array, home: Ids, slowness: Array, cost: Array, slots_per_rank: int, copies: Ids
) -> Array:
    """Fill ``copies``; return [experts] weight of one replica.

    A redundant slot goes to the expert with the heaviest replicas, of equal ones to that with
    fewer, and to the node that would finish first.
    """
    nodes, experts = copies.shape
    width = slowness.size // nodes
    free_slots = np.full(nodes, width * slots_per_rank)
    replicas = np.ones(experts, dtype=np.int64)
    weight = np.empty(experts)
    for expert in range(experts):
        copies[home[expert], expert] = 1
        free_slots[home[expert]] -= 1
        weight[expert] = replica_weight(load[expert], 1, cost)
    work = _work(weight, copies)
    node_slowness = _node_slowness(slowness, nodes)
    closed = np.zeros(experts, dtype=np.bool_)  # no node can take another copy
    left = free_slots.sum()
    while left:
        heaviest = -1
        for expert in range(experts):
            if not closed[expert] and (
                heaviest < 0
                or weight[expert] > weight[heaviest]
                or (weight[expert] == weight[heaviest] and replicas[expert] < replicas[heaviest])
            ):
                heaviest = expert
        target = -1
        # Of the nodes with a free slot, and a rank without the expert, the one that would finish
        # first.
        for node in range(nodes):
            if free_slots[node] == 0 or copies[node, heaviest] == width:
                continue
            if target < 0 or (
                work[node] * node_slowness[node] < work[target] * node_slowness[target]
            ):
                target = node
        if target < 0:
            closed[heaviest] = True
            continue
        replicas[heaviest] += 1
        lighter = replica_weight(load[heaviest], replicas[heaviest], cost)
        # The expert's other replicas get lighter on whichever node they are.
        for node in range(nodes):
            work[node] -= copies[node, heaviest] * (weight[heaviest] - lighter)
        copies[target, heaviest] += 1
        work[target] += lighter
        weight[heaviest] = lighter
        free_slots[target] -= 1
        left -= 1
    return weight


@kernel
def _work(weight: Array, copies: Ids) -> Array:
    """Return [nodes] weight that each node holds."""
    work = np.zeros(len(copies))
    for node in range(len(copies)):
        for expert in range(weight.size):
            work[node] += copies[node, expert] * weight[expert]
    return work


@kernel
def _node_slowness(slowness: Array, nodes: int) -> Array:
    width = slowness.size // nodes
    result = np.zeros(nodes)
    for rank in range(slowness.size):
        result[rank // width] += 1.0 / slowness[rank]
    return 1.0 / result


@kernel
def _level_nodes(
    load: Array, home: Ids, slowness: Array, cost: Array, weight: Array, copies: Ids
) -> None:
    """Hand redundant slots to experts of the heaviest node, as long as that relieves it.

    One slot changes at a time: an expert gives up a replica, but not the last one on its home node,
    and an expert of the heaviest node gets the slot. The best such change is made. An expert gives
    up a replica only if the others then weigh no more than half of what a rank holds on average, or
    no more than the heaviest replica there is; half is a choice of ours.
    """
    nodes, experts = copies.shape
    width = slowness.size // nodes
    node_slowness = _node_slowness(slowness, nodes)
    work = _work(weight, copies)
    replicas = copies.sum(axis=0)
    limit = max(weight.max(), 0.5 * work.sum() / slowness.size)
    while True:
        heaviest = np.argmax(work * node_slowness)
        # Gains below a part in 10,000 are not worth another pass over all pairs.
        best = work[heaviest] * node_slowness[heaviest] * (1 - 1e-4)
        best_node, best_out, best_in = -1, -1, -1
        for out in range(experts):
            if replicas[out] == 1:
                continue
            heavier = replica_weight(load[out], replicas[out] - 1, cost)
            for node in range(nodes):
                # The node has no replica to give, or only the one that must stay at home.
                if heavier > limit or copies[node, out] <= (home[out] == node):
                    continue
                for incoming in range(experts):
                    if copies[heaviest, incoming] == 0 or incoming == out:
                        continue
                    if copies[node, incoming] == width:
                        continue
                    lighter = replica_weight(load[incoming], replicas[incoming] + 1, cost)
                    finish = 0.0
                    for other in range(nodes):
                        changed = work[other]
                        changed += copies[other, out] * (heavier - weight[out])
                        changed -= copies[other, incoming] * (weight[incoming] - lighter)
                        # This node loses a replica of one expert and gets one of the other.
                        if other == node:
                            changed += lighter - heavier
                        finish = max(finish, changed * node_slowness[other])
                    if finish < best:
                        best, best_node, best_out, best_in = finish, node, out, incoming
        if best_node < 0:
            return
        replicas[best_out] -= 1
        replicas[best_in] += 1
        copies[best_node, best_out] -= 1
        copies[best_node, best_in] += 1
        for changed_expert in (best_out, best_in):
            weight[changed_expert] = replica_weight(
                load[changed_expert], replicas[changed_expert], cost
            )
        work = _work(weight, copies)


@kernel
def _ranking(order: Ids, copies: Ids, width: int) -> Ids:
    """Return a node's experts as `pack` wants them: those on every rank first, then by weight."""
    ranking = np.empty((copies > 0).sum(), dtype=np.int64)
    filled = 0
    for everywhere in (True, False):
        for expert in order:
            if copies[expert] and (copies[expert] == width) == everywhere:
                ranking[filled] = expert
                filled += 1
    return ranking


@kernel
def _swap(
    weight: Array, home: Ids, slowness: Array, table: Ids, rank_load: Array, copies: Ids
) -> None:
    """Swap slots of the rank that finishes last with others, best first, until none helps."""
    ranks, slots = table.shape
    width = ranks // len(copies)
    while True:
        last = np.argmax(rank_load * slowness)
        best = rank_load[last] * slowness[last] * (1 - 1e-9)
        best_slot, best_rank, best_other = -1, -1, -1
        for slot in range(slots):
            out = table[last, slot]
            for rank in range(ranks):
                for other in range(slots):
                    incoming = table[rank, other]
                    shift = weight[out] - weight[incoming]
                    if shift <= 0 or rank == last:
                        continue
                    finish = max(
                        (rank_load[last] - shift) * slowness[last],
                        (rank_load[rank] + shift) * slowness[rank],
                    )
                    if finish >= best or (table[rank] == out).any():
                        continue
                    if (table[last] == incoming).any():
                        continue
                    # Only a swap across nodes can take the last replica from its home.
                    if rank // width != last // width and (
                        _only_at_home(out, last // width, home, copies)
                        or _only_at_home(incoming, rank // width, home, copies)
                    ):
                        continue
                    best, best_slot, best_rank, best_other = finish, slot, rank, other
        if best_slot < 0:
            return
        out, incoming = table[last, best_slot], table[best_rank, best_other]
        shift = weight[out] - weight[incoming]
        table[last, best_slot], table[best_rank, best_other] = incoming, out
        rank_load[last] -= shift
        rank_load[best_rank] += shift
        copies[last // width, out] -= 1
        copies[best_rank // width, out] += 1
        copies[best_rank // width, incoming] -= 1
        copies[last // width, incoming] += 1


@kernel
def _only_at_home(expert: int, node: int, home: Ids, copies: Ids) -> bool:
    return bool(home[expert] == node and copies[node, expert] == 1)

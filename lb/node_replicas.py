"""Which experts get the redundant slots, and on which node, when groups live on nodes.

Every function works on one layer. ``copies`` [nodes, experts] says how many replicas of an expert a
node holds, ``home`` [experts] the node of its group, ``weight`` [experts] the load of one replica,
``slowness`` [ranks] seconds per token of each rank (1 where ranks are equal).
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel


@kernel
def replicate_on_nodes(
    load: NDArray[np.float64],
    home: NDArray[np.int64],
    slowness: NDArray[np.float64],
    slots_per_rank: int,
    spill: bool,
    copies: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Fill ``copies`` [nodes, experts]; return [experts] load of one replica.

    A redundant slot goes to the expert with the largest load per replica, of equal ones to that
    with fewer. Its node is the home, or with spill the one that would finish first.
    """
    nodes, experts = copies.shape
    width = slowness.size // nodes
    room = np.full(nodes, width * slots_per_rank)
    work = np.zeros(nodes)
    node_slowness = _node_slowness(slowness, nodes)
    for expert in range(experts):
        copies[home[expert], expert] = 1
        room[home[expert]] -= 1
        work[home[expert]] += load[expert]
    replicas = np.ones(experts, dtype=np.int64)
    weight = load.copy()
    closed = np.zeros(experts, dtype=np.bool_)  # no node can take another copy
    left = room.sum()
    while left:
        hottest = -1
        for expert in range(experts):
            if not closed[expert] and (
                hottest < 0
                or weight[expert] > weight[hottest]
                or (weight[expert] == weight[hottest] and replicas[expert] < replicas[hottest])
            ):
                hottest = expert
        target = -1
        for node in range(nodes):
            if room[node] == 0 or copies[node, hottest] == width:
                continue
            if (spill or node == home[hottest]) and (
                target < 0
                or work[node] * node_slowness[node] < work[target] * node_slowness[target]
            ):
                target = node
        if target < 0:
            closed[hottest] = True
            continue
        replicas[hottest] += 1
        lighter = load[hottest] / replicas[hottest]
        for node in range(nodes):
            work[node] -= copies[node, hottest] * (weight[hottest] - lighter)
        copies[target, hottest] += 1
        work[target] += lighter
        weight[hottest] = lighter
        room[target] -= 1
        left -= 1
    return weight


@kernel
def _node_slowness(slowness: NDArray[np.float64], nodes: int) -> NDArray[np.float64]:
    return 1.0 / (1.0 / slowness).reshape(nodes, slowness.size // nodes).sum(axis=1)


@kernel
def level_nodes(
    load: NDArray[np.float64],
    home: NDArray[np.int64],
    slowness: NDArray[np.float64],
    weight: NDArray[np.float64],
    copies: NDArray[np.int64],
) -> None:
    """Hand redundant slots to experts of the heaviest node, as long as that relieves it.

    One slot changes at a time: a replica that is not the last one at home makes room for one of an
    expert that the heaviest node holds; the best such change is made. An expert gives a replica
    only if the others then carry no more than half of what a rank carries on average, or no more
    than the heaviest replica there is; half is a choice of ours.
    """
    nodes, experts = copies.shape
    width = slowness.size // nodes
    node_slowness = _node_slowness(slowness, nodes)
    work = np.empty(nodes)
    for node in range(nodes):
        work[node] = (copies[node] * weight).sum()
    replicas = copies.sum(axis=0)
    limit = max(weight.max(), 0.5 * load.sum() / slowness.size)
    while True:
        heaviest = np.argmax(work * node_slowness)
        best = work[heaviest] * node_slowness[heaviest] * (1 - 1e-4)
        best_node, best_out, best_in = -1, -1, -1
        for out in range(experts):
            if replicas[out] == 1 or load[out] / (replicas[out] - 1) > limit:
                continue
            heavier = load[out] / (replicas[out] - 1)
            for node in range(nodes):
                if copies[node, out] <= (home[out] == node):
                    continue
                for incoming in range(experts):
                    if copies[heaviest, incoming] == 0 or incoming == out:
                        continue
                    if copies[node, incoming] == width:
                        continue
                    lighter = load[incoming] / (replicas[incoming] + 1)
                    finish = 0.0
                    for other in range(nodes):
                        changed = work[other]
                        changed += copies[other, out] * (heavier - weight[out])
                        changed -= copies[other, incoming] * (weight[incoming] - lighter)
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
        weight[best_out] = load[best_out] / replicas[best_out]
        weight[best_in] = load[best_in] / replicas[best_in]
        for node in range(nodes):
            work[node] = (copies[node] * weight).sum()

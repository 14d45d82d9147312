"""Assign whole expert groups to nodes, equally many each, and minimise the heaviest node."""

import math
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel

#: Up to so many ways to form nodes, all are tried (8 groups on 4 nodes: 105). A choice of ours.
TRIED_PARTITIONS = 10_000


def groups_to_nodes(
    group_load: NDArray[np.float64], node_speed: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Assign groups to nodes.

    Exact where all partitions can be tried (:data:`TRIED_PARTITIONS`): of the groups of a partition
    the heaviest set goes to the fastest node, which is best by exchange. Otherwise longest first,
    then swaps of two groups as long as they relieve the node that finishes last.

    Parameters
    ----------
    group_load
        [layers, groups] tokens; the groups divide evenly over the nodes.
    node_speed
        [nodes] relative speed, the ranks of each node together.

    Returns
    -------
    ndarray
        [layers, groups] node of each group.
    """
    layers, groups = group_load.shape
    nodes = len(node_speed)
    home = np.empty((layers, groups), dtype=np.int64)
    slowness = node_speed.min() / node_speed  # at most 1: no time overflows
    if _count_partitions(groups, nodes) > TRIED_PARTITIONS:
        for layer, load in enumerate(group_load):
            order = np.argsort(-load, kind="stable")
            _longest_first(load, order, slowness, groups // nodes, home[layer])
            _swap_groups(load, slowness, home[layer])
        return home
    partitions = _partitions(groups, nodes)
    fastest = np.argsort(slowness, kind="stable")
    for layer, load in enumerate(group_load):
        # Of a partition, the heaviest set goes to the fastest node, the next to the second fastest.
        sets = load[partitions].sum(axis=2)
        finish = -np.sort(-sets, axis=1) * slowness[fastest]
        chosen = int(finish.max(axis=1).argmin())
        heaviest = np.argsort(-sets[chosen], kind="stable")
        home[layer, partitions[chosen][heaviest]] = fastest[:, None]
    return home


def _count_partitions(groups: int, nodes: int) -> int:
    size = groups // nodes
    return math.factorial(groups) // (math.factorial(size) ** nodes * math.factorial(nodes))


@lru_cache(maxsize=8)
def _partitions(groups: int, nodes: int) -> NDArray[np.int64]:
    """Return [partitions, nodes, groups // nodes] every way to form ``nodes`` equal sets."""
    size = groups // nodes

    def complete(rest: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
        if not rest:
            return [[]]
        found = []
        for others in combinations(rest[1:], size - 1):  # the first one left is in the next set
            left = tuple(group for group in rest[1:] if group not in others)
            found += [[(rest[0], *others), *more] for more in complete(left)]
        return found

    table = np.array(complete(tuple(range(groups))), dtype=np.int64)
    table.flags.writeable = False
    return table


@kernel
def _longest_first(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    slowness: NDArray[np.float64],
    size: int,
    home: NDArray[np.int64],
) -> None:
    nodes = slowness.size
    total = np.zeros(nodes)
    used = np.zeros(nodes, dtype=np.int64)
    for group in order:
        best = -1
        best_finish = np.inf
        for node in range(nodes):
            finish = (total[node] + load[group]) * slowness[node]
            if used[node] < size and finish < best_finish:
                best, best_finish = node, finish
        home[group] = best
        used[best] += 1
        total[best] += load[group]


@kernel
def _swap_groups(
    load: NDArray[np.float64], slowness: NDArray[np.float64], home: NDArray[np.int64]
) -> None:
    total = np.zeros(slowness.size)
    for group in range(load.size):
        total[home[group]] += load[group]
    while True:
        last = np.argmax(total * slowness)
        # A swap has to gain more than rounding could feign, or the loop might not end.
        best_finish = total[last] * slowness[last] * (1 - 1e-12)
        best_out, best_in = -1, -1
        for out in range(load.size):
            if home[out] != last:
                continue
            for other in range(load.size):
                node = home[other]
                if node == last or load[other] >= load[out]:
                    continue
                shift = load[out] - load[other]
                finish = max(
                    (total[last] - shift) * slowness[last], (total[node] + shift) * slowness[node]
                )
                if finish < best_finish:
                    best_finish, best_out, best_in = finish, out, other
        if best_out < 0:
            return
        shift = load[best_out] - load[best_in]
        total[last] -= shift
        total[home[best_in]] += shift
        home[best_out], home[best_in] = home[best_in], home[best_out]

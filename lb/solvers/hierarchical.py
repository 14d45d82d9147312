"""Hierarchical: expert groups stay whole on a node, replicas within it or spilled over."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.grouping import groups_to_nodes
from lb.kernel import kernel
from lb.node_replicas import level_nodes, replicate_on_nodes
from lb.packing import pack, rank_slowness
from lb.placement import Placement
from lb.problem import Problem


@dataclass(frozen=True)
class Hierarchical:
    """Pack whole expert groups to nodes, replicate and pack inside them, then swap slots.

    For group-limited routing, as in DeepSeek-V3 (arXiv:2412.19437, section 2.1.2: a token goes to
    at most 4 nodes), where a group on one node keeps tokens off the slow network. The constraint
    is that of DeepSeek's EPLB in its hierarchical policy: every node has equally many groups and
    slots, and an expert's replicas stay on its group's node. Within it three things are better than
    there: groups are combined exactly where few enough of them allow it
    (:func:`lb.grouping.groups_to_nodes`), no rank holds an expert twice, and slots are swapped
    between ranks as long as that relieves the hottest.

    What remains is the imbalance of whole groups: no balance is better than mean over maximum node
    load. ``spill`` relaxes it: every expert keeps at least one replica on its group's node, so that
    groups are still together, but redundant replicas may go to any node. Tokens that use those
    may touch one node more; leave it out where node-limited routing must hold strictly.

    Parameters
    ----------
    spill
        Whether redundant replicas may leave the node of their group. Ours, not published.
    """

    spill: bool = False
    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the placement, the layers independent of each other.

        Raises
        ------
        ValueError
            If the groups do not divide evenly over the nodes; or, unless replicas may spill, if a
            rank has more slots than its node has experts.
        """
        groups, nodes = problem.expert_groups, problem.num_nodes
        if groups % nodes:
            raise ValueError(
                f"expert_groups = {groups} do not divide over {nodes} nodes ({groups % nodes} left "
                "over); use a solver without groups, such as 'greedy'"
            )
        local = problem.num_experts // nodes
        if problem.slots_per_rank > local and not self.spill:
            raise ValueError(
                f"slots_per_rank = {problem.slots_per_rank} > {local} experts of a node: a rank "
                "would hold one twice; give fewer slots, or spill=True"
            )
        load = problem.planned_load
        slowness = rank_slowness(problem)
        group_load = load.reshape(problem.num_layers, groups, -1).sum(axis=2)
        node_speed = (1.0 / slowness).reshape(nodes, -1).sum(axis=1)
        group_home = groups_to_nodes(group_load, node_speed)
        home = np.repeat(group_home, problem.num_experts // groups, axis=1)
        slots = np.empty((problem.num_layers, problem.num_slots), dtype=np.int64)
        _place_layers(load, home, slowness, nodes, bool(self.spill), slots)
        return Placement(slots, problem.num_ranks)


@kernel
def _place_layers(
    load: NDArray[np.float64],
    home: NDArray[np.int64],
    slowness: NDArray[np.float64],
    nodes: int,
    spill: bool,
    slots: NDArray[np.int64],
) -> None:
    layers, experts = load.shape
    ranks = slowness.size
    width = ranks // nodes
    rank_load = np.empty(ranks)
    for layer in range(layers):
        table = slots[layer].reshape(ranks, slots.shape[1] // ranks)
        copies = np.zeros((nodes, experts), dtype=np.int64)
        weight = replicate_on_nodes(
            load[layer], home[layer], slowness, table.shape[1], spill, copies
        )
        if spill:
            level_nodes(load[layer], home[layer], slowness, weight, copies)
        order = np.argsort(-weight, kind="mergesort")
        for node in range(nodes):
            own = slice(node * width, (node + 1) * width)
            ranking = _ranking(order, copies[node], width)
            pack(weight, ranking, copies[node], slowness[own], table[own], rank_load[own])
        _swap(weight, home[layer], slowness, spill, table, rank_load, copies)


@kernel
def _ranking(order: NDArray[np.int64], copies: NDArray[np.int64], width: int) -> NDArray[np.int64]:
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
    weight: NDArray[np.float64],
    home: NDArray[np.int64],
    slowness: NDArray[np.float64],
    spill: bool,
    table: NDArray[np.int64],
    rank_load: NDArray[np.float64],
    copies: NDArray[np.int64],
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
                near = rank // width == last // width
                if rank == last or not (near or spill):
                    continue
                for other in range(slots):
                    incoming = table[rank, other]
                    shift = weight[out] - weight[incoming]
                    if shift <= 0:
                        continue
                    finish = max(
                        (rank_load[last] - shift) * slowness[last],
                        (rank_load[rank] + shift) * slowness[rank],
                    )
                    if finish >= best or (table[rank] == out).any():
                        continue
                    if (table[last] == incoming).any():
                        continue
                    if not near and (
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
def _only_at_home(
    expert: int, node: int, home: NDArray[np.int64], copies: NDArray[np.int64]
) -> bool:
    return bool(home[expert] == node and copies[node, expert] == 1)

"""Hierarchical: expert groups stay on one node; overflow replicas may leave it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.grouping import groups_to_nodes
from lb.kernel import kernel
from lb.overflow import place_with_overflow
from lb.packing import cost_points, rank_slowness, replica_weight
from lb.placement import Placement
from lb.problem import Problem
from lb.solvers.local_search import LocalSearch


@dataclass(frozen=True)
class Hierarchical:
    """Assign whole expert groups to nodes, then balance inside every node.

    For group-limited routing, as in DeepSeek-V3 (arXiv:2412.19437, section 2.1.2: a token goes to
    a limited number of nodes), where a group on one node keeps tokens off the slow network. The
    constraint is that of DeepSeek's EPLB in its hierarchical policy: every node has equally many
    groups and slots, and an expert's replicas stay on its group's node. Within it two things are
    better than there: groups are combined exactly where few enough of them allow it
    (:func:`lb.grouping.groups_to_nodes`), and every node is a problem of its own for
    "local-search", which puts no expert twice on a rank.

    One group alone, or none as most models have it, is no constraint: ``local-search`` answers.

    What remains is the imbalance of whole groups: no balance is better than mean over maximum node
    load. ``spill`` relaxes it: every expert keeps at least one replica on its group's node, so that
    groups are still together, but redundant replicas may go to any node
    (:func:`lb.overflow.place_with_overflow`). Tokens that use those may touch one node more; leave
    it out where node-limited routing must hold strictly.

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
        if groups == 1:
            return LocalSearch()(problem)
        if groups % nodes:
            raise ValueError(
                f"expert_groups = {groups} do not divide over {nodes} nodes ({groups % nodes} left "
                "over); use a solver without groups, such as 'local-search'"
            )
        local = problem.num_experts // nodes
        if problem.slots_per_rank > local and not self.spill:
            raise ValueError(
                f"slots_per_rank = {problem.slots_per_rank} > {local} experts of a node: a rank "
                "would hold one twice; give fewer slots, or spill=True"
            )
        slowness = rank_slowness(problem)
        # A node finishes as fast as its ranks together.
        node_speed = (1.0 / slowness).reshape(nodes, -1).sum(axis=1)
        group_cost = np.zeros((problem.num_layers, groups))
        _add_up_groups(problem.planned_load, cost_points(problem), group_cost)
        group_home = groups_to_nodes(group_cost, node_speed)
        home = np.repeat(group_home, problem.num_experts // groups, axis=1)
        shape = (problem.num_layers, nodes, problem.num_slots // nodes)
        slots = np.empty(shape, dtype=np.int64)
        if self.spill:
            table = slots.reshape(problem.num_layers, problem.num_ranks, -1)
            cost = cost_points(problem)
            place_with_overflow(problem.planned_load, home, slowness, cost, nodes, table)
        else:
            for node in range(nodes):
                slots[:, node] = _inside(problem, home, node)
        return Placement(slots.reshape(problem.num_layers, -1), problem.num_ranks)


@kernel
def _add_up_groups(
    load: NDArray[np.float64], cost: NDArray[np.float64], group_cost: NDArray[np.float64]
) -> None:
    size = load.shape[1] // group_cost.shape[1]
    for layer in range(load.shape[0]):
        for expert in range(load.shape[1]):
            group_cost[layer, expert // size] += replica_weight(load[layer, expert], 1, cost)


def _inside(problem: Problem, home: NDArray[np.int64], node: int) -> NDArray[np.int64]:
    """Return [layers, slots of the node] experts, the node being a problem of its own."""
    width = problem.num_ranks // problem.num_nodes
    ranks = slice(node * width, (node + 1) * width)
    # Every node has equally many experts in each layer, so that the ids form a rectangle.
    members = np.nonzero(home == node)[1].reshape(problem.num_layers, -1)
    alone = Problem(
        np.take_along_axis(problem.planned_load, members, axis=1),
        width,
        problem.slots_per_rank,
        rank_speed=None if problem.rank_speed is None else problem.rank_speed[ranks],
        expert_cost=problem.expert_cost,
    )
    return np.take_along_axis(members, LocalSearch()(alone).physical_to_logical, axis=1)

"""EPLB: the balancer that DeepSeek published, with its global and its hierarchical policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.placement import Placement
from lb.problem import Problem
from lb.rank_by_weight import rank_by_weight

POLICIES = ("auto", "global", "hierarchical")


@dataclass(frozen=True)
class Eplb:
    """DeepSeek's expert-parallelism load balancer (github.com/deepseek-ai/EPLB, 2025).

    Global: give every redundant slot to the expert with the largest load per replica, then pack
    the slots, heaviest first, on the least loaded rank with a free slot. Hierarchical: first pack
    whole expert groups to nodes, then do the same inside every node. It plans for the
    problem's planned load and reproduces the published arithmetic, single precision included; as
    published, it may put two copies of an expert on one rank. Of slots with equal load the one
    with the lower number goes first, where the published code leaves it to an unstable sort.

    Parameters
    ----------
    policy
        "auto" is hierarchical where the expert groups divide evenly over the nodes, as published;
        "global" and "hierarchical" insist.
    """

    policy: str = "auto"
    known_failures: ClassVar[Mapping[str, str]] = {
        "check_no_avoidable_duplicates": "packs by load alone (deepseek-ai/EPLB issue 22)",
    }

    def __call__(self, problem: Problem) -> Placement:
        """Return the placement that the published algorithm gives.

        Raises
        ------
        ValueError
            If the policy is unknown, or "hierarchical" and the groups do not divide over nodes.
        """
        groups, nodes = problem.expert_groups, problem.num_nodes
        if self.policy not in POLICIES:
            raise ValueError(f"policy = {self.policy!r} is not one of {', '.join(POLICIES)}")
        if self.policy == "hierarchical" and groups % nodes:
            raise ValueError(
                f"expert_groups = {groups} do not divide over {nodes} nodes, which the "
                "hierarchical policy needs; use policy='global'"
            )
        if self.policy == "global" or groups % nodes:
            groups, nodes = 1, 1
        slots = np.empty((problem.num_layers, problem.num_slots), dtype=np.int64)
        _place_layers(
            _single_precision(problem.planned_load), problem.num_ranks, groups, nodes, slots
        )
        return Placement(slots, problem.num_ranks)


def _single_precision(load: NDArray[np.float64]) -> NDArray[np.float32]:
    # a power of two keeps any load in range without touching a single digit
    return np.ldexp(load, -int(np.frexp(load.max())[1]) + 24).astype(np.float32)


@kernel
def _place_layers(
    load: NDArray[np.float32],
    ranks: int,
    groups: int,
    nodes: int,
    slots: NDArray[np.int64],
) -> None:
    layers, experts = load.shape
    group_size = experts // groups
    node_experts = experts // nodes
    node_slots = slots.shape[1] // nodes
    for layer in range(layers):
        # Step 1: pack whole groups to nodes.
        group_load = np.zeros(groups, dtype=np.float32)
        for expert in range(experts):
            group_load[expert // group_size] += load[layer, expert]
        group_position = _pack(group_load, nodes)
        # Experts in the order of the nodes that their groups are on.
        ordered = np.empty(experts, dtype=np.int64)
        for expert in range(experts):
            group, member = divmod(expert, group_size)
            ordered[group_position[group] * group_size + member] = expert
        # Step 2: replicate inside the node. Step 3: pack the replicas to its ranks.
        for node in range(nodes):
            local = ordered[node * node_experts : (node + 1) * node_experts]
            expert_of, slot_load = _replicate(load[layer][local], node_slots)
            position = _pack(slot_load, ranks // nodes)
            for slot in range(node_slots):
                slots[layer, node * node_slots + position[slot]] = local[expert_of[slot]]


@kernel
def _replicate(
    load: NDArray[np.float32], num_slots: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return [slots] expert and load of each slot before packing: originals, then copies."""
    expert_of = np.arange(num_slots)
    replicas = np.ones(load.size, dtype=np.float32)
    per_replica = load.copy()
    for slot in range(load.size, num_slots):
        heaviest = np.argmax(per_replica)
        expert_of[slot] = heaviest
        replicas[heaviest] += np.float32(1)
        per_replica[heaviest] = load[heaviest] / replicas[heaviest]
    return expert_of, per_replica[expert_of]


@kernel
def _pack(weight: NDArray[np.float32], packs: int) -> NDArray[np.int64]:
    """Return the position of each item when packs of equal size are laid side by side."""
    capacity = weight.size // packs
    # As published: single items stay where they are.
    if capacity == 1:
        return np.arange(weight.size)
    position = np.empty(weight.size, dtype=np.int64)
    pack_load = np.zeros(packs, dtype=np.float32)
    pack_items = np.zeros(packs, dtype=np.int64)
    for item in rank_by_weight(weight):
        lightest = -1
        for pack in range(packs):
            lighter = lightest < 0 or pack_load[pack] < pack_load[lightest]
            if lighter and pack_items[pack] < capacity:
                lightest = pack
        position[item] = lightest * capacity + pack_items[lightest]
        pack_load[lightest] += weight[item]
        pack_items[lightest] += 1
    return position

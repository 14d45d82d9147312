"""Affinity: place experts near the tokens that choose them, and near experts chosen with them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.dispatchers.local_first import farness
from lb.packing import rank_slowness
from lb.placement import Placement
from lb.problem import Problem
from lb.solvers.local_search import LocalSearch
from lb.traffic.search import reduce_traffic
from lb.traffic.state import TrafficLayer, traffic_state

Array = NDArray[np.float64]

#: Part of a layer's traffic that an exchange must save to be made. A choice of ours.
LEAST_GAIN = 1e-6


@dataclass(frozen=True)
class Affinity:
    """Start balanced, then exchange nodes, ranks and slots for less traffic at a bounded peak.

    Traffic is token copies times distance. By ``source_load`` and ``rank_distance``: tokens of an
    expert travel from the rank they start on to its replicas, to all evenly, or to the nearest
    where the problem's dispatcher is "local-first". By ``coactivation``: a token that chose two
    experts on one node sends one copy of its hidden state there instead of two, as DeepEP
    (github.com/deepseek-ai/DeepEP) dispatches; so every co-activated pair on one node saves a copy
    over the mean distance between nodes. With a single node the ranks take the part of nodes.
    ExFlow (arXiv:2401.08383) and MoETuner (arXiv:2502.06643) bring together experts of consecutive
    layers in the like manner. The search is ours: the best exchange of each slot, of pairs of ranks
    and of pairs of nodes until none helps, then chains of swaps (:mod:`lb.traffic.chain`).

    Assumptions of ours: the replicas of two experts are chosen independently; a token with three
    experts on a node is credited with three saved copies, though it saves two. Without
    ``source_load`` tokens start evenly on all ranks. Without ``rank_distance`` a copy costs 0 on
    its own rank, 1 within the node and ``node_distance`` beyond. ``coactivation`` is counted over
    the problem's windows. With none of the three the balanced start is returned.

    Parameters
    ----------
    imbalance
        How far the peak of a layer, rank load over rank speed, may rise above that of the start,
        as a part of it. The start is "local-search"; the peak counts tokens, whatever the
        problem's ``expert_cost``.
    node_distance
        Cost of a copy to another node, that within a node being 1. The default is the ratio of
        NVLink to InfiniBand bandwidth in DeepSeek-V3's cluster (arXiv:2412.19437, section 3.2.2).
    coactivation_weight
        Copies that a co-activated pair saves; 0 leaves co-activation out.
    rounds
        Most rounds of exchanges; each goes over all slots, ranks or nodes.
    """

    imbalance: float = 0.05
    node_distance: float = 3.2
    coactivation_weight: float = 1.0
    rounds: int = 40
    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the placement, the layers independent of each other.

        Raises
        ------
        ValueError
            If a parameter is negative or not finite, or ``rounds`` is no integer >= 1.
        """
        for name in ("imbalance", "node_distance", "coactivation_weight"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} = {value!r} breaks 0 <= {name} < infinity")
        rounds = checked_integer(self.rounds, "rounds", at_least=1)
        start = LocalSearch()(problem)
        if all(
            array is None
            for array in (problem.source_load, problem.rank_distance, problem.coactivation)
        ):
            return start
        node_ranks = problem.ranks_per_node or problem.num_ranks
        distance = self._distance(problem)
        tokens = _tokens(problem)
        unit = _units(problem)
        pairs = self._pairs(problem, distance, unit)
        slowness = rank_slowness(problem)
        far = farness(problem.num_ranks, node_ranks)
        shape = (problem.num_layers, problem.num_ranks, problem.slots_per_rank)
        slots = start.physical_to_logical.reshape(shape).copy()
        weight = problem.planned_load / start.replica_count
        for number in range(problem.num_layers):
            layer = TrafficLayer(
                tokens[number],
                distance,
                tokens[number] @ distance,
                pairs[number],
                unit,
                weight[number],
                slowness,
                far,
                node_ranks if problem.dispatcher == "local-first" else 0,
            )
            state = traffic_state(layer, slots[number])
            # the bound must let the start itself pass, rounding included
            limit = (state.rank_load * slowness).max() * (1 + self.imbalance) * (1 + 1e-12)
            least = LEAST_GAIN * (tokens[number].sum() * distance.max() + pairs[number].sum())
            reduce_traffic(layer, state, node_ranks, limit, least, rounds)
        return Placement(slots.reshape(problem.num_layers, -1), problem.num_ranks)

    def _distance(self, problem: Problem) -> Array:
        """[ranks, ranks] cost of one copy; all 0 if only co-activation is given."""
        if problem.rank_distance is not None:
            return np.array(problem.rank_distance)
        ranks = problem.num_ranks
        if problem.source_load is None:
            return np.zeros((ranks, ranks))
        node = np.arange(ranks) // (problem.ranks_per_node or ranks)
        distance = np.where(node[:, None] == node, 1.0, self.node_distance)
        np.fill_diagonal(distance, 0.0)
        return distance

    def _pairs(self, problem: Problem, distance: Array, unit: NDArray[np.int64]) -> Array:
        """[layers, experts, experts] traffic saved if two experts share a unit."""
        experts = problem.num_experts
        if problem.coactivation is None:
            return np.zeros((problem.num_layers, experts, experts))
        apart = unit[:, None] != unit
        # A saved copy is worth the mean distance between units.
        price = float(distance[apart].mean()) if apart.any() and distance.any() else 1.0
        # Pairs were counted over all windows; the plan is for the tokens of one.
        seen = problem.total_load.sum(axis=1)
        planned = problem.planned_load.sum(axis=1)
        scale = np.divide(planned, seen, out=np.zeros_like(seen), where=seen > 0)
        pairs = (problem.coactivation + problem.coactivation.swapaxes(1, 2)) / 2
        pairs *= self.coactivation_weight * price * scale[:, None, None]
        # Two replicas of one expert save nothing together.
        pairs[:, np.arange(experts), np.arange(experts)] = 0.0
        return np.asarray(pairs)


def _units(problem: Problem) -> NDArray[np.int64]:
    """[ranks] the node of each rank, or the rank itself where there is but one node."""
    width = problem.ranks_per_node or problem.num_ranks
    return np.arange(problem.num_ranks) // (1 if width == problem.num_ranks else width)


def _tokens(problem: Problem) -> Array:
    """[layers, experts, ranks] planned tokens by the rank they start on."""
    layers, experts, ranks = problem.num_layers, problem.num_experts, problem.num_ranks
    part = np.full((layers, experts, ranks), 1.0 / ranks)
    if problem.source_load is not None:
        by_rank = problem.source_load.swapaxes(1, 2)
        total = by_rank.sum(axis=2, keepdims=True)
        part = np.divide(by_rank, total, out=part, where=total > 0)
    return np.ascontiguousarray(part * problem.planned_load[:, :, None])

"""Greedy: replicate the heaviest experts, then place heaviest first on the least loaded rank."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.packing import cost_points, heaviest_first, pack, rank_slowness, replicate
from lb.placement import Placement
from lb.problem import Problem


@dataclass(frozen=True)
class Greedy:
    """Replicate by largest load per replica, then place longest first on the least loaded rank.

    Plans for the problem's planned load. An expert never has more copies than there are ranks
    and never sits twice on one rank. With ``rank_speed`` the least loaded rank is the one that
    would finish first; with ``expert_cost`` loads are seconds.

    The placing step is the longest-processing-time rule of Graham (1969, SIAM Journal on Applied
    Mathematics 17(2), doi:10.1137/0117039) with a limit on the items of a rank.
    """

    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the greedy placement, the layers independent of each other."""
        load = problem.planned_load
        shape = (problem.num_layers, problem.num_ranks, problem.slots_per_rank)
        slots = np.empty(shape, dtype=np.int64)
        _place_layers(
            load, heaviest_first(load), rank_slowness(problem), cost_points(problem), slots
        )
        return Placement(slots.reshape(problem.num_layers, -1), problem.num_ranks)


@kernel
def _place_layers(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    slowness: NDArray[np.float64],
    cost: NDArray[np.float64],
    slots: NDArray[np.int64],
) -> None:
    layers, experts = load.shape
    ranks = slowness.size
    replicas = np.empty(experts, dtype=np.int64)
    ranking = np.empty(experts, dtype=np.int64)
    weight = np.empty(experts)
    rank_load = np.empty(ranks)
    for layer in range(layers):
        table = slots[layer]
        replicate(load[layer], order[layer], table.size, ranks, cost, replicas, weight, ranking)
        pack(weight, ranking, replicas, slowness, table, rank_load)

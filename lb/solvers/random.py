"""Random placement, as a baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.placement import Placement
from lb.problem import Problem


@dataclass(frozen=True)
class Random:
    """Choose redundant experts and ranks at random, whatever the load.

    Parameters
    ----------
    seed
        Equal seeds give equal placements.
    """

    seed: int = 0
    known_failures: ClassVar[Mapping[str, str]] = {
        "check_expert_relabelling": "does not look at the load",
        "check_layer_permutation": "draws the layers one after another from one generator",
        "check_planted_optimum": "does not look at the load",
    }

    def __call__(self, problem: Problem) -> Placement:
        """Return a random placement without duplicates on a rank."""
        generator = np.random.default_rng(self.seed)
        rows = [_random_layer(problem, generator) for _ in range(problem.num_layers)]
        return Placement(np.stack(rows), problem.num_ranks)


def _random_layer(problem: Problem, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return [slots] experts of one layer.

    Experts with the most copies go first, each to the ranks with the most free slots. This never
    gets stuck, because every rank has equally many slots (Gale and Ryser, 1957). Ties are broken at
    random.
    """
    # As even as can be: experts with one copy more are drawn.
    experts, ranks = problem.num_experts, problem.num_ranks
    copies, extra = divmod(problem.num_slots, experts)
    replicas = np.full(experts, copies)
    replicas[generator.permutation(experts)[:extra]] += 1
    order = generator.permutation(experts)
    # A stable sort keeps the drawn order among experts with equally many copies.
    order = order[np.argsort(-replicas[order], kind="stable")]
    slots = np.empty((ranks, problem.slots_per_rank), dtype=np.int64)
    _spread(order, replicas, generator.random((experts, ranks)), slots)
    return slots.ravel()


@kernel
def _spread(
    order: NDArray[np.int64],
    replicas: NDArray[np.int64],
    lot: NDArray[np.float64],
    slots: NDArray[np.int64],
) -> None:
    """Fill ``slots`` [ranks, slots_per_rank]; ``lot`` [experts, ranks] breaks ties."""
    used = np.zeros(len(slots), dtype=np.int64)
    latest = np.full(len(slots), -1)  # the expert that each rank was given last
    for expert in order:
        for _ in range(replicas[expert]):
            # A number in [0, 1) breaks ties between ranks with equally many used slots, and nothing
            # else.
            chosen, least = -1, np.inf
            for rank in range(len(slots)):
                if latest[rank] != expert and used[rank] + lot[expert, rank] < least:
                    chosen, least = rank, used[rank] + lot[expert, rank]
            slots[chosen, used[chosen]] = expert
            used[chosen] += 1
            latest[chosen] = expert

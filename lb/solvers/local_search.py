"""Local search: greedy, then swaps, then other replica counts until nothing improves."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from lb.exchange import exchange
from lb.kernel import kernel
from lb.packing import cost_points, heaviest_first, pack, rank_slowness, replicate
from lb.placement import Placement
from lb.polish import polish
from lb.problem import Problem


@dataclass(frozen=True)
class LocalSearch:
    """Greedy, then swaps between the slowest rank and others, then other numbers of replicas.

    Plans for the problem's planned load under an even split. Swaps stop when the slowest rank is
    within ``tolerance`` of perfect balance. Where they get stuck more than ``worthwhile`` above it,
    replicas are re-allocated between experts and the layer is packed and swapped anew
    (:func:`lb.exchange.exchange`), as often as ``effort`` allows. Never worse than ``greedy``.

    Parameters
    ----------
    tolerance
        Excess of the slowest rank over perfect balance, relative, that is good enough.
    worthwhile
        Excess above which re-allocating replicas is tried.
    effort
        Re-allocations tried in a layer times the square of its slots: a trial costs time in
        proportion to the slots, and there are about as many neighbours as slots squared. The
        default tries hundreds on 16 slots, and on 256 or more only other rules of apportionment.
    """

    tolerance: float = 2e-4
    worthwhile: float = 0.01
    effort: int = 60_000
    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the best placement found, the layers independent of each other.

        Raises
        ------
        ValueError
            If a parameter is negative.
        """
        tolerance = checked_number(self.tolerance, "tolerance", at_least=0.0)
        worthwhile = checked_number(self.worthwhile, "worthwhile", at_least=0.0)
        effort = checked_integer(self.effort, "effort", at_least=0)
        load = problem.planned_load
        slowness = rank_slowness(problem)
        if problem.slots_per_rank == 1 and np.ptp(slowness) == 0:
            # nothing shares a rank, and a slot to whoever is heaviest is then the optimum
            worthwhile = np.inf
        shape = (problem.num_layers, problem.num_ranks, problem.slots_per_rank)
        slots = np.empty(shape, dtype=np.int64)
        _place_layers(
            load,
            heaviest_first(load),
            slowness,
            cost_points(problem),
            tolerance,
            worthwhile,
            effort // problem.num_slots**2,
            slots,
        )
        return Placement(slots.reshape(problem.num_layers, -1), problem.num_ranks)


@kernel
def _place_layers(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    slowness: NDArray[np.float64],
    cost: NDArray[np.float64],
    tolerance: float,
    worthwhile: float,
    trials: int,
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
        # Step 1: greedy.
        replicate(load[layer], order[layer], table.size, ranks, cost, replicas, weight, ranking)
        pack(weight, ranking, replicas, slowness, table, rank_load)
        # Step 2: swaps at these numbers of replicas.
        excess = polish(
            table, weight, replicas, ranking, slowness, rank_load, tolerance, 10 * ranks
        )
        # Step 3: other numbers of replicas, each packed and swapped anew.
        if excess > worthwhile:
            exchange(
                load[layer],
                order[layer],
                cost,
                slowness,
                tolerance,
                trials,
                excess,
                replicas,
                table,
            )

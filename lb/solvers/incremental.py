"""Incremental: from what is loaded, the moves that gain most for each expert received."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_number
from lb.kernel import kernel
from lb.packing import cost_points, rank_slowness
from lb.placement import Placement
from lb.problem import Problem
from lb.repair import repair
from lb.solvers.local_search import LocalSearch


@dataclass(frozen=True)
class Incremental:
    """Improve the current placement step by step, within a budget of moves or at a price each.

    In every layer the steps are found that lower the slow ranks most for each expert that a rank
    must receive (:func:`lb.repair.repair`): an expert with replicas gives a slot to another one, or
    two ranks swap an expert each. The budget then goes to the layers where peaks fall most for it,
    along the upper hull of what each layer's steps gain; at a price, each layer takes the steps
    after which its peak plus the price of its moves is least. Without a current placement it is
    ``local-search``.

    Parameters
    ----------
    share
        Part of all slots that may be received where the problem states neither ``max_moves`` nor
        ``move_price``.
    """

    share: float = 0.1
    spread: float = 0.3
    tolerance: float = 1e-3
    honours: ClassVar[frozenset[str]] = frozenset({"max_moves", "rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the improved placement.

        Raises
        ------
        ValueError
            If ``share`` is not in [0, 1].
        """
        share = checked_number(self.share, "share", at_least=0.0, at_most=1.0)
        if problem.current is None:
            return LocalSearch()(problem)
        budget = problem.max_moves
        if budget is None and problem.move_price is None:
            budget = int(share * problem.num_layers * problem.num_slots)
        if budget is None:
            budget = problem.num_layers * problem.num_slots
        price = problem.move_price or 0.0
        slots = problem.current.physical_to_logical.copy()
        limit = min(2 * problem.num_slots, 2 * budget)
        shape = (problem.num_layers, limit)
        steps = np.empty((*shape, 4), dtype=np.int64)
        moves = np.zeros((problem.num_layers, limit + 1), dtype=np.int64)
        peaks = np.zeros((problem.num_layers, limit + 1))
        taken = np.zeros(problem.num_layers, dtype=np.int64)
        trial = slots.copy()
        _repair_layers(
            problem.planned_load,
            cost_points(problem),
            rank_slowness(problem),
            trial,
            self.spread,
            self.tolerance,
            budget,
            price,
            steps,
            moves,
            peaks,
            taken,
        )
        _apply(steps, _chosen(moves, peaks, taken, budget, price), slots)
        return Placement(slots, problem.num_ranks)


@kernel
def _repair_layers(
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    slots: NDArray[np.int64],
    spread: float,
    tolerance: float,
    budget: int,
    price: float,
    steps: NDArray[np.int64],
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
    taken: NDArray[np.int64],
) -> None:
    layers, ranks = len(load), slowness.size
    for layer in range(layers):
        table = slots[layer].reshape(ranks, slots.shape[1] // ranks)
        taken[layer] = repair(
            load[layer],
            cost,
            slowness,
            table,
            spread,
            tolerance,
            budget,
            price,
            steps[layer],
            moves[layer],
            peaks[layer],
        )


@kernel
def _chosen(
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
    taken: NDArray[np.int64],
    budget: int,
    price: float,
) -> NDArray[np.int64]:
    """Return the steps to take in each layer: always the stretch that gains most for its moves."""
    layers = len(moves)
    chosen = np.zeros(layers, dtype=np.int64)
    stretch = np.zeros(layers, dtype=np.int64)
    rate = np.full(layers, -1.0)
    spent = 0
    for layer in range(layers):
        stretch[layer], rate[layer] = _next_stretch(
            moves[layer], peaks[layer], 0, taken[layer], budget
        )
    while True:
        layer = int(np.argmax(rate))
        if rate[layer] <= price:
            return chosen
        end = stretch[layer]
        received = moves[layer, end] - moves[layer, chosen[layer]]
        if spent + received <= budget:
            spent += received
            chosen[layer] = end
        stretch[layer], rate[layer] = _next_stretch(
            moves[layer], peaks[layer], chosen[layer], taken[layer], budget - spent
        )


@kernel
def _next_stretch(
    moves: NDArray[np.int64], peaks: NDArray[np.float64], start: int, taken: int, budget: int
) -> tuple[int, float]:
    """Return the end of the stretch of steps with the best gain a move, and that gain; or -1."""
    best_end, best_rate = start, -1.0
    for end in range(start + 1, taken + 1):
        received = moves[end] - moves[start]
        gain = peaks[start] - peaks[end]
        if received > budget or gain <= 0.0:
            continue
        rate = gain / received if received > 0 else np.inf
        if rate > best_rate:
            best_end, best_rate = end, rate
    return best_end, best_rate


@kernel
def _apply(steps: NDArray[np.int64], chosen: NDArray[np.int64], slots: NDArray[np.int64]) -> None:
    for layer in range(len(chosen)):
        for step in range(chosen[layer]):
            slot, expert, back, other = steps[layer, step]
            slots[layer, slot] = expert
            if back >= 0:
                slots[layer, back] = other

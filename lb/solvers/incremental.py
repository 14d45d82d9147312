"""Incremental: from the current placement, the moves that gain most per expert received."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer, checked_number
from lb.kernel import kernel
from lb.packing import cost_points, rank_slowness
from lb.placement import Placement
from lb.problem import Problem
from lb.repair import repair
from lb.solvers.local_search import LocalSearch

#: Steps tried in a layer for each slot, or for each move of the budget; some only undo others.
STEPS = 2


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
    spread
        Standard deviation of what a replica will weigh in the next window, relative to its weight.
        The more, the more slots go to splitting what is hot rather than to balancing what was
        seen. The default was the best on drifting loads (AR(1) with ρ = 0.95 a window).
    tolerance
        Excess of a layer's slowest rank over perfect balance, relative, that is good enough.
    layers
        Repair only so many layers, those with the most to gain: the fall of the peak less the price
        of the moves. ``None``: all.
    """

    share: float = 0.1
    spread: float = 0.5
    tolerance: float = 1e-3
    layers: int | None = None
    honours: ClassVar[frozenset[str]] = frozenset({"max_moves", "rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the improved placement.

        Raises
        ------
        ValueError
            If ``share`` is not in [0, 1], ``spread`` or ``tolerance`` is negative, or ``layers``
            is no positive integer.
        """
        share = checked_number(self.share, "share", at_least=0.0, at_most=1.0)
        spread = checked_number(self.spread, "spread", at_least=0.0)
        tolerance = checked_number(self.tolerance, "tolerance", at_least=0.0)
        layers = problem.num_layers
        if self.layers is not None:
            layers = min(layers, checked_integer(self.layers, "layers", at_least=1))
        if problem.current is None:
            return LocalSearch()(problem)
        price = problem.move_price or 0.0
        budget = problem.num_layers * problem.num_slots
        if problem.max_moves is not None:
            budget = min(budget, problem.max_moves)
        elif problem.move_price is None:
            budget = int(share * budget)
        slots = problem.current.physical_to_logical.copy()
        # Steps that only undo others receive nothing: more steps than moves may be needed.
        limit = min(STEPS * problem.num_slots, STEPS * budget)
        steps = np.empty((problem.num_layers, limit, 4), dtype=np.int64)
        moves = np.zeros((problem.num_layers, limit + 1), dtype=np.int64)
        peaks = np.zeros((problem.num_layers, limit + 1))
        taken = np.zeros(problem.num_layers, dtype=np.int64)
        _repair_layers(
            problem.planned_load,
            cost_points(problem),
            rank_slowness(problem),
            slots.copy(),  # is changed; the chosen steps are applied later
            spread,
            tolerance,
            budget,
            price,
            steps,
            moves,
            peaks,
            taken,
        )
        if layers < problem.num_layers:
            _keep_most_gainful(moves, peaks, taken, layers, budget, price)
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


def _keep_most_gainful(
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
    taken: NDArray[np.int64],
    layers: int,
    budget: int,
    price: float,
) -> None:
    """Forget the steps of all but ``layers`` layers; of equal gains the first layers stay."""
    gain = peaks[:, :1] - peaks - price * moves
    possible = (np.arange(gain.shape[1]) <= taken[:, None]) & (moves <= budget)
    most = np.where(possible, gain, 0.0).max(axis=1)
    taken[np.argsort(-most, kind="stable")[layers:]] = 0


@kernel
def _chosen(
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
    taken: NDArray[np.int64],
    budget: int,
    price: float,
) -> NDArray[np.int64]:
    """Return the steps to take in each layer: always the stretch that gains most for its moves.

    A stretch that the budget no longer allows is replaced by the best one that it does.
    """
    layers = len(moves)
    chosen = np.zeros(layers, dtype=np.int64)
    stretch = np.zeros(layers, dtype=np.int64)
    rate = np.full(layers, -1.0)
    spent = 0
    for layer in range(layers):
        stretch[layer], rate[layer] = _next_stretch(
            moves[layer], peaks[layer], chosen[layer], taken[layer], budget
        )
    while True:
        # The layer with the best gain a move goes first: along the upper hulls of all layers.
        layer = int(np.argmax(rate))
        if rate[layer] <= price:
            return chosen
        end = stretch[layer]
        received = moves[layer, end] - moves[layer, chosen[layer]]
        if spent + received <= budget:
            spent += received
            chosen[layer] = end
        # The next stretch starts where this one ended, or is shorter if this one was too dear.
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
        # Steps that receive nothing are free: they go first.
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

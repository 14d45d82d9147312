"""Search for one layer whose dispatcher may split tokens unevenly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.dispatchers.optimal import optimal
from lb.placement import Placement
from lb.solvers.ilp.exact import PEAK, order_ranks
from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.model import LinearModel, ModelBackend, Rows
from lb.solvers.ilp.search import VARIABLES_PER_SECOND, LayerSearch


@dataclass(eq=False)
class FlowSearch:
    """As :class:`~lb.solvers.ilp.search.LayerSearch`, under the dispatcher ``optimal``.

    Which rank holds what is one binary variable for each expert and rank, and how many of the
    expert's tokens go there is another variable: copies need no variables of their own.

    Parameters
    ----------
    layer
        What is placed.
    held
        [experts, ranks] who holds what.
    bound
        Proven lower bound on the largest rank load.
    backend
        Solves the model.
    gap
        Relative distance to the bound that is good enough.
    seed
        Seed of the back end.
    """

    layer: Layer
    held: NDArray[np.bool_]
    bound: float
    backend: ModelBackend
    gap: float
    seed: int

    @property
    def peak(self) -> float:
        """Largest rank load."""
        return self._peak(self.held)

    @property
    def done(self) -> bool:
        """Whether the peak is within the gap of the bound."""
        return self.peak <= self.bound * (1 + self.gap)

    def polish(self) -> None:
        """Swap experts while that cools the most loaded rank under an even split."""
        even = self._evenly()
        even.polish()
        self._offer(even.held)

    def run(self, budget: float) -> None:
        """Spend half of the budget on an even split, and half on the model if that is not enough.

        What is cool under an even split is at least as cool under a better one. A model that is
        too large for the budget is not built.
        """
        even = self._evenly()
        even.run(budget / 2)
        self._offer(even.held)
        if self.done or 2 * self.held.size > VARIABLES_PER_SECOND * budget:
            return
        held = self.layer.ordered(self.held)
        scale = PEAK / self.peak
        model = _model(self.layer, held, self.bound, scale)
        answer = self.backend(model, budget=budget / 2, gap=self.gap, seed=self.seed)
        if np.isfinite(answer.bound):
            self.bound = max(self.bound, answer.bound / scale)
        if answer.values is not None:
            self._offer(answer.values[: held.size].reshape(held.shape) > 0)

    def _evenly(self) -> LayerSearch:
        # the bound is the one for any split; what the search proves beyond is not taken over
        return LayerSearch(self.layer, self.held, self.bound, self.backend, self.gap, self.seed)

    def _offer(self, held: NDArray[np.bool_]) -> None:
        if self._peak(held) < self.peak:
            self.held = held

    def _peak(self, held: NDArray[np.bool_]) -> float:
        return float(_tokens(self.layer, held).sum(axis=0).max())


def _tokens(layer: Layer, held: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return [experts, ranks] tokens, split in the best way."""
    slots = np.concatenate([np.flatnonzero(column) for column in held.T])
    share = optimal(Placement(slots[None], layer.ranks), layer.cost[None, :, 1])[0]
    tokens = np.zeros(held.shape)
    tokens[slots, np.arange(slots.size) // layer.width] = share * layer.cost[slots, 1]
    return tokens


def _model(layer: Layer, held: NDArray[np.bool_], bound: float, scale: float) -> LinearModel:
    """Return the model that starts from ``held``, with ``scale`` for a rank load of 1.

    Variables are, for each expert and rank, whether it is there; then how many of its tokens; and
    the peak. Loads are rounded down, so that a bound on the model is a bound on the layer.
    """
    experts, ranks = held.shape
    load = np.floor(layer.cost[:, 1] * scale).astype(np.int64)
    held_at = np.arange(held.size).reshape(held.shape)
    tokens_at, peak_at = held_at + held.size, 2 * held.size
    rows = Rows()
    for expert in range(experts):
        rows.add(held_at[expert], 1, 1, ranks)
        rows.add(tokens_at[expert], 1, int(load[expert]), int(load[expert]), PEAK)
        # Tokens only where the expert is held.
        for rank in range(ranks):
            pair = [tokens_at[expert, rank], held_at[expert, rank]]
            rows.add(pair, [1, -load[expert]], -int(load[expert]), 0, PEAK)
    for rank in range(ranks):
        rows.add(held_at[:, rank], 1, layer.width, layer.width)
        rows.add([*tokens_at[:, rank], peak_at], [1] * experts + [-1], -ranks * PEAK, 0, PEAK)
    expert_of, rank_of = np.divmod(np.arange(held.size), ranks)
    order_ranks(rows, layer, np.stack([expert_of, np.ones_like(rank_of), rank_of], axis=1))
    tokens = np.floor(_tokens(layer, held) * scale).astype(np.int64)
    # rounding lost a few tokens of an expert with replicas: its first one takes them
    tokens[np.arange(experts), held.argmax(axis=1)] += load - tokens.sum(axis=1)
    peak = int(tokens.sum(axis=0).max())
    hint = np.concatenate([held.ravel(), tokens.ravel(), [peak]]).astype(np.int64)
    upper = np.concatenate([np.ones(held.size), np.repeat(load, ranks), [peak]]).astype(np.int64)
    lower = np.zeros_like(upper)
    lower[-1] = min(int(bound * scale), peak)
    return rows.model(lower, upper, minimise=peak_at, hint=hint)

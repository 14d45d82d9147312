"""Search for one layer: swaps, then covers of many ranks at once, then the exact model."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.copies import count_copies, nearby_copies
from lb.solvers.ilp.cover import Cover
from lb.solvers.ilp.exact import Exact, copy_options
from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.model import Answer, LinearModel, ModelBackend
from lb.solvers.ilp.polish import polished

# Figures of ours, chosen on lognormal, Zipf and uniform loads of 32 to 256 experts.
#: Variables of the exact model for each second of a layer's budget; a larger one is not built,
#: since it would end where it started.
VARIABLES_PER_SECOND = 1000
#: What every model is charged at least, for building it; one that a glance shows to be impossible;
#: and a cover with too many sets: seconds.
LEAST_CHARGE = 0.002
GLANCE_CHARGE = 0.001
LISTING_CHARGE = 0.01
#: Ranks that one cover fills anew, at most.
MOST_RANKS = 16
#: Sets of experts that make a cover of a few ranks worth its while.
FEWEST_SETS = 1000
#: Covers in a row that fail before more ranks are tried at a time.
MOST_FAILURES = 3


class LayerOutcome(Enum):
    """Outcome of a cover."""

    FOUND = "a filling"
    IMPOSSIBLE = "there is none"
    UNKNOWN = "the budget ran out"
    TOO_MANY = "too many sets to choose from"


@dataclass(eq=False)
class LayerSearch:
    """The best placement of a layer so far, the bound below it, and what is left to spend.

    Parameters
    ----------
    layer
        What is placed.
    held
        [experts, ranks] who holds what.
    bound
        Proven lower bound on the largest rank time.
    backend
        Solves the models.
    gap
        Relative distance to the bound that is good enough.
    seed
        Seed of every choice that is left to chance.
    budget
        What the models may spend.
    """

    layer: Layer
    held: NDArray[np.bool_]
    bound: float
    backend: ModelBackend
    gap: float
    seed: int
    budget: float = 0.0

    @property
    def peak(self) -> float:
        """Largest rank time."""
        return float(self.layer.times(self.held).max())

    @property
    def done(self) -> bool:
        """Whether the peak is within the gap of the bound."""
        return self.peak <= self.bound * (1 + self.gap) * (1 + 1e-12)

    def polish(self) -> None:
        """Swap experts while that cools the most loaded rank."""
        self.held = polished(self.held, self._weight(self.held.sum(axis=1)), self.layer.speed)

    def run(self, budget: float) -> None:
        """Spend the budget: 3/4 on covers at most, and the rest on the exact model."""
        self.budget = 0.75 * budget
        if not self._fill_all_ranks():
            self._fill_some_ranks()
        elif self._can_try_all_copies():
            self._try_all_copies()
        else:
            self._try_other_copies()
        self.budget += 0.25 * budget
        self._exact(VARIABLES_PER_SECOND * budget)

    def _weight(self, copies: NDArray[np.int64]) -> NDArray[np.float64]:
        weight: NDArray[np.float64] = self.layer.cost[np.arange(self.layer.experts), copies]
        return weight

    def _ask(self, model: LinearModel) -> Answer:
        empty = np.diff(model.row_start) == 0
        if (model.row_lower[empty] > 0).any():  # some expert is in no set
            self.budget -= GLANCE_CHARGE
            return Answer(None, np.inf, GLANCE_CHARGE)
        answer = self.backend(model, budget=self.budget, gap=self.gap, seed=self.seed)
        self.budget -= max(answer.spent, LEAST_CHARGE)
        return answer

    def _fill_all_ranks(self) -> bool:
        """Cover all ranks with the copies that there are, at the lowest level that is found.

        Returns False if there are too many ways to fill a rank even at the lowest level.
        """
        if self.layer.ranks > MOST_RANKS:
            return False
        copies = self.held.sum(axis=1)
        for step, level in enumerate(_levels(self.bound, self.peak, self.gap)):
            if self.budget <= 0:
                return True
            outcome = self._cover_all(copies, level)
            if outcome is LayerOutcome.TOO_MANY:
                # Too many sets at the lowest level already: fill some ranks only.
                return step > 0
            if outcome is LayerOutcome.FOUND:
                return True
        return True

    def _fill_some_ranks(self) -> None:
        """Cover the hottest, the coldest and some other ranks anew, more of them as it gets harder.

        The level asked for lies between the peak and the mean of those ranks.
        """
        generator = np.random.default_rng(self.seed)
        most = min(MOST_RANKS, self.layer.ranks)
        # Start with as many ranks as give enough sets to choose from.
        sets = (math.comb(size * self.layer.width, self.layer.width) for size in range(2, most))
        size, failures = 2 + sum(number < FEWEST_SETS for number in sets), 0
        while 2 <= size <= most and not self.done and self.budget > 0:
            falling = np.argsort(-self.layer.times(self.held), kind="stable")
            # The hottest and the coldest rank have most to exchange.
            others = generator.permutation(falling[1:-1])[: size - 2]
            ranks = np.sort(np.concatenate([falling[[0, -1]], others]))
            work = self._weight(self.held.sum(axis=1)) @ self.held[:, ranks]
            floor = max(float(work.sum() / self.layer.speed[ranks].sum()), self.bound)
            outcome = self._cover(ranks, self.held.sum(axis=1), (floor + self.peak) / 2)
            # A wider cover would have more sets still.
            if outcome is LayerOutcome.TOO_MANY:
                size, most, failures = size - 1, size - 1, 0
                continue
            failures = 0 if outcome is LayerOutcome.FOUND else failures + 1
            if failures == MOST_FAILURES:
                size, failures = size + 1, 0

    def _try_other_copies(self) -> None:
        """Cover all ranks with other numbers of copies, those nearest to the present ones first.

        The level asked for is halfway from the peak to the goal, so that it is either reached or
        tells that the goal is out of reach with these copies.
        """
        goal = self.bound * (1 + self.gap)
        for copies in nearby_copies(self.layer, self.held.sum(axis=1), goal):
            if self.done or self.budget <= 0:
                return
            self._cover_all(copies, (goal + self.peak) / 2)

    @property
    def _next_level(self) -> float:
        # a little less than a gap away, so that rounding leaves the gap closed
        return self.peak / (1 + 0.999 * self.gap)

    def _can_try_all_copies(self) -> bool:
        number = count_copies(self.layer, self.peak)
        return not self.done and GLANCE_CHARGE * number <= self.budget

    def _try_all_copies(self) -> None:
        """Find the lowest level for every number of copies: what is left is proven to be best."""
        for copies in nearby_copies(self.layer, self.held.sum(axis=1), self.peak):
            if self.done:
                return
            if not self._settle(copies):
                return
        self.bound = max(self.bound, self._next_level)

    def _settle(self, copies: NDArray[np.int64]) -> bool:
        """Lower the peak with these copies until no level more than a gap below it is possible."""
        low, level = self.bound, self._next_level
        # Search by halves between a level that is impossible and the peak that is reached.
        while low < self._next_level:
            outcome = self._cover_all(copies, level)
            if outcome is LayerOutcome.IMPOSSIBLE:
                low = level
            elif outcome is not LayerOutcome.FOUND:
                return False
            level = min((low + self.peak) / 2, self._next_level)
        return True

    def _cover_all(self, copies: NDArray[np.int64], level: float) -> "LayerOutcome":
        return self._cover(np.arange(self.layer.ranks), copies, level)

    def _cover(
        self, ranks: NDArray[np.int64], copies: NDArray[np.int64], level: float
    ) -> "LayerOutcome":
        """Fill ``ranks`` anew, none above ``level``, when all ranks together hold ``copies``."""
        if self.budget <= 0:
            return LayerOutcome.UNKNOWN
        # Copies that the other ranks do not hold.
        here = copies - np.delete(self.held, ranks, axis=1).sum(axis=1)
        speed = self.layer.speed[ranks]
        cover = Cover.of(here, self.layer.width, self._weight(copies), speed, level)
        if cover is None:
            self.budget -= LISTING_CHARGE
            return LayerOutcome.TOO_MANY
        answer = self._ask(cover.model)
        if answer.values is None:
            return LayerOutcome.IMPOSSIBLE if answer.bound == np.inf else LayerOutcome.UNKNOWN
        held = self.held.copy()
        held[:, ranks] = cover.holds(answer.values)
        self._offer(held, ranks)
        return LayerOutcome.FOUND

    def _exact(self, most_variables: float) -> None:
        if self.done or self.budget <= 0 or self.peak == 0:
            return
        if len(copy_options(self.layer, self.peak)) * (self.layer.ranks + 1) > most_variables:
            return
        exact = Exact.of(self.layer, self.held, self.bound)
        answer = self._ask(exact.model)
        if np.isfinite(answer.bound):
            self.bound = max(self.bound, answer.bound / exact.scale)
        if answer.values is not None:
            self._offer(exact.holds(self.layer, answer.values), np.arange(self.layer.ranks))

    def _offer(self, held: NDArray[np.bool_], ranks: NDArray[np.int64]) -> None:
        """Take ``held`` if the hottest of ``ranks`` is cooler than it was."""
        before, after = self.layer.times(self.held)[ranks], self.layer.times(held)[ranks]
        if after.max() < before.max():
            self.held = held


def _levels(bound: float, peak: float, gap: float) -> Iterator[float]:
    """Yield levels below ``peak`` that are one gap above the bound, then two, four and so on."""
    distance = gap
    while bound * (1 + distance) < peak:
        yield bound * (1 + distance)
        distance *= 2

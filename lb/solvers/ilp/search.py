"""The search for one layer: swaps, then covers of many ranks at once, then the exact model."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.cover import Cover
from lb.solvers.ilp.exact import Exact, copy_options
from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.model import Answer, Backend, LinearModel
from lb.solvers.ilp.polish import polished

# Figures of ours, chosen on lognormal, Zipf and uniform loads of 32 to 256 experts.
#: Variables of the exact model for each second of a layer's budget; a larger one is not built,
#: since it would end where it started.
VARIABLES_PER_SECOND = 1000
#: What every model is charged at least, for building it, and a cover with too many sets: seconds.
LEAST_CHARGE = 0.005
LISTING_CHARGE = 0.01
#: Ranks that one cover fills anew, at most.
MOST_RANKS = 16
#: Sets of experts that make a cover of a few ranks worth its while.
FEWEST_SETS = 1000
#: Covers in a row that fail before more ranks are tried at a time.
MOST_FAILURES = 3


@dataclass(eq=False)
class Search:
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
    backend: Backend
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
        return self.peak <= self.bound * (1 + self.gap)

    def polish(self) -> None:
        """Swap experts while that cools the hottest rank."""
        self.held = polished(self.held, self._weight(self.held), self.layer.speed)

    def run(self, budget: float) -> None:
        """Spend the budget: 3/4 on covers at most, and the rest on the exact model."""
        self.budget = 0.75 * budget
        if self._fill_all_ranks():
            self._other_copies()
        else:
            self._fill_some_ranks()
        self.budget += 0.25 * budget
        self._exact(VARIABLES_PER_SECOND * budget)

    def _weight(self, held: NDArray[np.bool_]) -> NDArray[np.float64]:
        weight: NDArray[np.float64] = self.layer.cost[
            np.arange(self.layer.experts), held.sum(axis=1)
        ]
        return weight

    def _ask(self, model: LinearModel) -> Answer:
        if model.lower.size == 0:  # nothing to choose from
            self.budget -= LEAST_CHARGE
            return Answer(None, np.inf, LEAST_CHARGE)
        answer = self.backend(model, budget=self.budget, gap=self.gap, seed=self.seed)
        self.budget -= max(answer.spent, LEAST_CHARGE)
        return answer

    def _fill_all_ranks(self) -> bool:
        """Cover all ranks with the copies that there are, at the lowest level that is found.

        Without spare slots no other copies exist: a level that cannot be reached is a new bound.
        Returns False if there are too many ways to fill a rank even at the lowest level.
        """
        ranks = np.arange(self.layer.ranks)
        if ranks.size > MOST_RANKS:
            return False
        for step, level in enumerate(_levels(self.bound, self.peak, self.gap)):
            if self.budget <= 0:
                return True
            found = self._cover(ranks, self.held, level)
            if found is None:
                return step > 0
            if found:
                break
        while self.layer.spare == 0 and not self.done and self.budget > 0:
            if not self._narrow(ranks):
                break
        return True

    def _narrow(self, ranks: NDArray[np.int64]) -> bool:
        """Halve the distance between peak and bound, from whichever side."""
        before = self.peak, self.bound
        self._cover(ranks, self.held, (self.peak + self.bound) / 2)
        return (self.peak, self.bound) != before

    def _fill_some_ranks(self) -> None:
        """Cover the hottest, the coldest and some other ranks anew, more of them as it gets harder.

        The level asked for lies between the peak and the mean of those ranks.
        """
        generator = np.random.default_rng(self.seed)
        most = min(MOST_RANKS, self.layer.ranks)
        sets = (math.comb(size * self.layer.width, self.layer.width) for size in range(2, most))
        size, failures = 2 + sum(number < FEWEST_SETS for number in sets), 0
        while 2 <= size <= most and not self.done and self.budget > 0:
            falling = np.argsort(-self.layer.times(self.held), kind="stable")
            others = generator.permutation(falling[1:-1])[: size - 2]
            ranks = np.sort(np.concatenate([falling[[0, -1]], others]))
            work = self._weight(self.held) @ self.held[:, ranks]
            floor = max(float(work.sum() / self.layer.speed[ranks].sum()), self.bound)
            found = self._cover(ranks, self.held, (floor + self.peak) / 2)
            if found is None:
                size, most, failures = size - 1, size - 1, 0
                continue
            failures = 0 if found else failures + 1
            if failures == MOST_FAILURES:
                size, failures = size + 1, 0

    def _other_copies(self) -> None:
        """Cover all ranks with other numbers of copies, those nearest to the present ones first.

        A breadth-first search over exchanges: one copy of an expert becomes one of another. The
        level asked for is halfway from the peak to the goal, so that it is either reached or tells
        that the goal is out of reach with these copies.
        """
        ranks = np.arange(self.layer.ranks)
        goal = self.bound * (1 + self.gap)
        allowed = set(copy_options(self.layer, goal))
        queue, seen = deque([self.held]), {_copies(self.held)}
        while queue:
            for held in self._exchanged(queue.popleft(), allowed):
                if self.done or self.budget <= 0:
                    return
                if _copies(held) not in seen:
                    seen.add(_copies(held))
                    queue.append(held)
                    self._cover(ranks, held, (goal + self.peak) / 2)

    def _exchanged(
        self, held: NDArray[np.bool_], allowed: set[tuple[int, int]]
    ) -> Iterator[NDArray[np.bool_]]:
        """Yield what is held after an exchange of one copy, largest replicas shrunk first.

        Which rank holds what does not matter to a cover of all ranks; the rank that gives up a
        copy only has to lack the other expert.
        """
        copies = held.sum(axis=1)
        falling = np.argsort(-self._weight(held), kind="stable").tolist()
        for gains in falling:
            for loses in reversed(falling):
                after = (gains, copies[gains] + 1), (loses, copies[loses] - 1)
                rank = np.flatnonzero(held[loses] & ~held[gains])
                if rank.size and allowed.issuperset(after):
                    result = held.copy()
                    result[gains, rank[0]], result[loses, rank[0]] = True, False
                    yield result

    def _cover(
        self, ranks: NDArray[np.int64], held: NDArray[np.bool_], level: float
    ) -> bool | None:
        """Fill ``ranks`` of ``held`` anew below ``level``; ``None`` if there are too many ways."""
        weight, speed = self._weight(held), self.layer.speed[ranks]
        cover = Cover.of(held[:, ranks], weight, speed, level)
        if cover is None:
            self.budget -= LISTING_CHARGE
            return None
        answer = self._ask(cover.model)
        if answer.values is None:
            complete = self.layer.spare == 0 and ranks.size == self.layer.ranks
            if answer.bound == np.inf and complete:
                self.bound = max(self.bound, level)
            return False
        result = held.copy()
        result[:, ranks] = cover.holds(answer.values)
        self._offer(result, ranks)
        return True

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


def _copies(held: NDArray[np.bool_]) -> bytes:
    return held.sum(axis=1).tobytes()

"""One layer in normal form: experts by falling load, ranks in a fixed order, without units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.problem import Problem
from lb.solvers.ilp.objective import seconds


@dataclass(frozen=True, eq=False)
class Layer:
    """Input of the models, without names of experts and units of load.

    Parameters
    ----------
    cost
        [experts, copies + 1] work of one replica of an expert that has so many copies, experts by
        falling load; column 0 is unused. The largest entry is 1.
    speed
        [ranks] relative speed, the fastest 1.
    width
        Slots of a rank.
    expert
        [experts] id that the problem gives to each expert.
    unit
        A rank time of 1 in the unit of the problem: tokens or seconds, over the rank's speed.
    """

    cost: NDArray[np.float64]
    speed: NDArray[np.float64]
    width: int
    expert: NDArray[np.int64]
    unit: float

    @classmethod
    def of(cls, problem: Problem, layer: int) -> "Layer":
        """Return layer ``layer`` of the problem's planned load."""
        load = problem.planned_load[layer]
        expert = np.argsort(-load, kind="stable")
        # With every other expert once, no expert has more copies than this.
        most = min(problem.num_ranks, problem.num_slots - problem.num_experts + 1)
        copies = np.arange(1, most + 1)
        largest = load.max() or 1.0
        if problem.expert_cost is None:
            work = (load[expert] / largest)[:, None] / copies
        else:
            largest = 1.0
            work = seconds(problem.expert_cost, load[expert][:, None] / copies)
        hottest = float(work.max()) or 1.0
        cost = np.zeros((len(expert), most + 1))
        cost[:, 1:] = work / hottest
        speed = np.ones(problem.num_ranks) if problem.rank_speed is None else problem.rank_speed
        fastest = float(speed.max())
        unit = float(largest) * hottest / fastest
        return cls(cost, speed / fastest, problem.slots_per_rank, expert, unit)

    @property
    def ranks(self) -> int:
        """Ranks of the EP group."""
        return self.speed.size

    @property
    def experts(self) -> int:
        """Logical experts."""
        return self.cost.shape[0]

    @property
    def spare(self) -> int:
        """Slots beyond one for each expert."""
        return self.ranks * self.width - self.experts

    @property
    def ties(self) -> NDArray[np.bool_]:
        """[experts] whether an expert costs the same as the one before it."""
        same = (self.cost[1:] == self.cost[:-1]).all(axis=1)
        return np.concatenate([[False], same])

    def holds(self, slots: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return [experts, ranks] whether a rank holds an expert, from the problem's ids."""
        number = np.empty_like(self.expert)
        number[self.expert] = np.arange(self.experts)
        held = np.zeros((self.experts, self.ranks), dtype=np.bool_)
        held[number[slots], np.arange(slots.size) // self.width] = True
        return self.ordered(held)

    def slots(self, held: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return [slots] the problem's ids, from ``held`` [experts, ranks]."""
        return np.concatenate([self.expert[np.flatnonzero(column)] for column in held.T])

    def times(self, held: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return [ranks] work of each rank over its speed, tokens split evenly over replicas."""
        copies = held.sum(axis=1)
        weight = self.cost[np.arange(self.experts), copies]
        return (weight[:, None] * held).sum(axis=0) / self.speed

    def ordered(self, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the same placement with experts and ranks in the order that the models require.

        Of experts with equal load the one with more copies comes first. Ranks of one speed are in
        falling order of what they hold: first the rank with the heaviest expert; of those that hold
        it, first the one with the second hottest, and so on.
        """
        copies = held.sum(axis=1)
        result = held[np.lexsort((-copies, np.cumsum(~self.ties)))]
        for speed in np.unique(self.speed):
            # The last key of lexsort counts most: reversed, that is the heaviest expert.
            same = np.flatnonzero(self.speed == speed)
            result[:, same] = result[:, same[np.lexsort(~result[::-1, same])]]
        return result

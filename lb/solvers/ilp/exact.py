"""Exact model over copies and ranks together, for small layers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.model import LinearModel, Rows

#: The peak of the hint in whole numbers: rounding is then below one in a million for 9 slots.
PEAK = 1 << 24
#: Hottest experts by which equal ranks are put in order, at most.
ORDERING = 10


@dataclass(frozen=True, eq=False)
class Exact:
    """Choose how many copies each expert has and where they go, with the least peak.

    A binary variable for each expert, number of copies and rank says that the expert has so many
    copies and one of them is there; another for each expert and number of copies that it has so
    many. Weights are rounded down, so that a bound on the model is a bound on the layer, and the
    peak of an answer is computed afresh. Equal ranks are ordered by the heaviest experts they hold,
    equal experts by their copies.

    Parameters
    ----------
    model
        The peak is the variable to minimise.
    choice
        [choices, 3] expert, copies and rank of the variables in front.
    scale
        The model's peak for a rank time of 1.
    """

    model: LinearModel
    choice: NDArray[np.int64]
    scale: float

    @classmethod
    def of(cls, layer: Layer, held: NDArray[np.bool_], bound: float) -> "Exact":
        """Return the model that starts from ``held`` [experts, ranks] and a lower bound."""
        held = layer.ordered(held)
        peak = float(layer.times(held).max())
        scale = PEAK / peak
        options = np.array(copy_options(layer, peak), dtype=np.int64)
        choice = np.array(
            [(expert, copies, rank) for expert, copies in options for rank in range(layer.ranks)]
        )
        expert, copies, rank = choice.T
        work = layer.cost[expert, copies] / layer.speed[rank]
        # what is above the peak is not to be had, however far above
        weight = np.floor(np.minimum(work * scale, 2 * PEAK)).astype(np.int64)
        count = held.sum(axis=1)
        hint = np.concatenate(
            [(copies == count[expert]) & held[expert, rank], options[:, 1] == count[options[:, 0]]]
        ).astype(np.int64)
        of_rank = [np.flatnonzero(rank == index) for index in range(layer.ranks)]
        rounded = max(int(weight[chosen] @ hint[chosen]) for chosen in of_rank)
        highest = len(hint)  # index of the peak, the last variable
        rows = Rows()
        for row, (_, number) in enumerate(options):
            # These variables name `number` ranks if that number of copies is chosen, and none
            # otherwise.
            first = row * layer.ranks
            here = np.arange(first, first + layer.ranks)
            rows.add([*here, len(choice) + row], [1] * layer.ranks + [-number], 0, 0)
            # Implied for whole numbers; makes the relaxation tighter.
            for place in here:
                rows.add([place, len(choice) + row], [1, -1], -1, 0)
        for index in range(layer.experts):
            rows.add(len(choice) + np.flatnonzero(options[:, 0] == index), 1, 1, 1)
        for chosen in of_rank:
            rows.add(chosen, 1, layer.width, layer.width)
            # The work of a rank is at most the peak.
            rows.add([*chosen, highest], [*weight[chosen], -1], -PEAK * layer.width, 0, PEAK)
        order_ranks(rows, layer, choice)
        _order_ties(rows, layer, options, len(choice))
        lower, upper = np.zeros(highest + 1, np.int64), np.ones(highest + 1, np.int64)
        lower[-1], upper[-1] = min(int(bound * scale), rounded), rounded
        model = rows.model(lower, upper, minimise=highest, hint=np.append(hint, rounded))
        return cls(model, choice, scale)

    def holds(self, layer: Layer, values: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return [experts, ranks] whether a rank holds an expert, from the model's values."""
        expert, _, rank = self.choice[values[: len(self.choice)] > 0].T
        held = np.zeros((layer.experts, layer.ranks), dtype=np.bool_)
        held[expert, rank] = True
        return held


def copy_options(layer: Layer, peak: float) -> list[tuple[int, int]]:
    """Return every (expert, copies) that a placement with at most this peak can have.

    An expert has so many copies that one fits under the peak on the fastest rank, and at most what
    the other experts leave of the spare slots.
    """
    least, most = copy_limits(layer, peak)
    return [
        (expert, copies)
        for expert in range(layer.experts)
        for copies in range(least[expert], most[expert] + 1)
    ]


def copy_limits(layer: Layer, peak: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return [experts] least and most copies in a placement with at most this peak."""
    fits = layer.cost[:, 1:] <= peak * (1 + 1e-9)
    least = 1 + np.argmax(fits, axis=1)
    free = layer.spare - int((least - 1).sum())
    return least, np.minimum(layer.cost.shape[1] - 1, least + free)


def order_ranks(rows: Rows, layer: Layer, choice: NDArray[np.int64]) -> None:
    """Add rows that put ranks of one speed in falling order of the heaviest experts they hold.

    ``choice`` [choices, 3] is expert, copies and rank of the variables in front.
    """
    expert, _, rank = choice.T
    depth = min(layer.experts, ORDERING)
    # The heaviest experts as digits of a binary number: a rank that holds heavier ones has more.
    digit = np.where(expert < depth, 1 << np.maximum(depth - 1 - expert, 0), 0)
    for speed in np.unique(layer.speed):
        same = np.flatnonzero(layer.speed == speed)
        for one, other in pairwise(same):
            ones = np.flatnonzero((rank == one) & (digit > 0))
            others = np.flatnonzero((rank == other) & (digit > 0))
            signed = np.concatenate([digit[ones], -digit[others]])
            rows.add(np.concatenate([ones, others]), signed, 0, 1 << depth)


def _order_ties(rows: Rows, layer: Layer, options: NDArray[np.int64], first: int) -> None:
    for expert in np.flatnonzero(layer.ties):
        ones = np.flatnonzero(options[:, 0] == expert - 1)
        others = np.flatnonzero(options[:, 0] == expert)
        signed = np.concatenate([options[ones, 1], -options[others, 1]])
        rows.add(first + np.concatenate([ones, others]), signed, 0, layer.ranks)

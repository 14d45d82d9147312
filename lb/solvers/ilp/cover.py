"""Covering model: choose sets of experts, each light enough for a rank, that cover all experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.model import LinearModel, Rows
from lb.solvers.ilp.patterns import patterns

#: Sets that a model may choose from, and partial sets that are tried to list them: figures of ours,
#: at which a model takes a tenth of a second or so to build.
MOST_PATTERNS = 3000
MOST_STEPS = 10_000_000


@dataclass(frozen=True, eq=False)
class Cover:
    """Fill some ranks anew, none above ``peak``, with the copies that they hold now.

    When the peak is close to the mean, every rank must be close to it too, and few of the many sets
    of experts are: each that is becomes a variable, as in the cutting-stock model of Gilmore and
    Gomory (1961, Operations Research 9(6), doi:10.1287/opre.9.6.849). Equal ranks need no names, so
    that their symmetry is gone.

    Parameters
    ----------
    model
        Feasible if and only if there is such a filling.
    kinds
        Ranks of equal speed among the chosen ones, each with the sets [patterns, experts] that it
        can take, in the order of the model's variables.
    """

    model: LinearModel
    kinds: list[tuple[NDArray[np.int64], NDArray[np.bool_]]]

    @classmethod
    def of(
        cls,
        copies: NDArray[np.int64],
        width: int,
        weight: NDArray[np.float64],
        speed: NDArray[np.float64],
        peak: float,
    ) -> "Cover | None":
        """Return the model, or ``None`` if there are too many sets.

        Parameters
        ----------
        copies
            [experts] replicas of each expert on these ranks, at most one on each.
        width
            Slots of a rank.
        weight
            [experts] work of one replica.
        speed
            [ranks] relative speed.
        peak
            Largest rank time that is allowed.
        """
        # If all ranks together are this far below the peak, none of them can be farther.
        slack = peak * speed.sum() - float(weight @ copies)
        kinds = []
        for pace in np.unique(speed):
            # a little wider than rounding can be, so that nothing is ruled out by it
            spread = 1e-12 * peak * speed.sum()
            low, high = peak * pace - slack - spread, peak * pace + spread
            sets = _sets(copies, speed.size, width, weight, low, high)
            if sets is None:
                return None
            kinds.append((np.flatnonzero(speed == pace), sets))
        columns = np.concatenate([sets for _, sets in kinds])
        # the same set may fill several ranks, as often as the rarest of its experts has copies
        often = np.where(columns, copies, speed.size).min(axis=1, initial=speed.size)
        rows = Rows()
        # Every expert is in as many chosen sets as it has copies here.
        for expert in range(len(copies)):
            count = int(copies[expert])
            rows.add(np.flatnonzero(columns[:, expert]), 1, count, count)
        # As many sets are chosen for each speed as there are ranks of it.
        first = 0
        for ranks, sets in kinds:
            rows.add(np.arange(first, first + len(sets)), 1, len(ranks), len(ranks))
            first += len(sets)
        return cls(rows.model(np.zeros_like(often), often), kinds)

    def holds(self, values: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return [experts, ranks] whether a rank holds an expert, from the model's values."""
        ranks = sum(len(members) for members, _ in self.kinds)
        held = np.empty((self.kinds[0][1].shape[1], ranks), dtype=np.bool_)
        first = 0
        for members, sets in self.kinds:
            taken = np.repeat(np.arange(len(sets)), values[first : first + len(sets)])
            held[:, members] = sets[taken].T
            first += len(sets)
        return held


def _sets(
    copies: NDArray[np.int64],
    ranks: int,
    width: int,
    weight: NDArray[np.float64],
    low: float,
    high: float,
) -> NDArray[np.bool_] | None:
    """Return [patterns, experts] the sets that one rank may hold, or ``None`` if too many."""
    # An expert with a copy on each of these ranks is in every set.
    everywhere = np.flatnonzero(copies == ranks)
    others = np.flatnonzero((copies > 0) & (copies < ranks))
    open_slots = width - everywhere.size
    base = float(weight[everywhere].sum())
    if open_slots == 0:
        listed = np.zeros((int(low <= base <= high), 0), dtype=np.int64)
    else:
        falling = others[np.argsort(-weight[others], kind="stable")]
        found = patterns(
            weight[falling], open_slots, low - base, high - base, MOST_PATTERNS, MOST_STEPS
        )
        if found is None:
            return None
        listed = falling[found]
    sets = np.zeros((len(listed), len(copies)), dtype=np.bool_)
    sets[np.arange(len(listed))[:, None], listed] = True
    sets[:, everywhere] = True
    return sets

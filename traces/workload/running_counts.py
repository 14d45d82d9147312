"""Counts of steps that follow each other and have most of their tokens in common."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.moments import normal_quantiles
from traces.workload.fill_mixture import RENEWED_EVERY, fill_mixture

#: Steps after which the sums are made anew. They cost more than a step does, and rounding errors of
#: so many changes are still below 1e-12 of a sum.
SUMS_FOR = 1024


class RunningCounts:
    """Draws what :func:`traces.workload.chance_counts.chance_counts` does, one step a call.

    The sums over the tokens of the last step are kept, and only what has changed is added. So a
    step costs the same however many conditions its tokens have.

    Parameters
    ----------
    chance
        [layers, conditions, experts] chance that a token chooses an expert; each row adds up to
        ``top_k``.
    top_k
        Experts that a token chooses.
    """

    def __init__(self, chance: NDArray[np.float64], top_k: int) -> None:
        layers, conditions, experts = chance.shape
        self.chance, self._top_k = chance, top_k
        self._before = np.zeros(conditions, dtype=np.int64)
        self._sums = np.empty((layers, 3, experts))
        self._order = np.random.default_rng(0).permuted(
            np.tile(np.arange(experts), (layers, 1)), axis=1
        )
        self._steps = 0

    def draw(self, tokens: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int32]:
        """Return [layers, experts] counts of ``tokens`` [conditions], 0 or more, below 2**31."""
        changes = tokens - self._before
        # tokens of other conditions than before: then new sums are less work than changes
        anew = np.count_nonzero(changes) > np.count_nonzero(tokens)
        if anew or self._steps % SUMS_FOR == 0:
            changes, self._steps = tokens, 0
        self._before = tokens.copy()
        condition = np.flatnonzero(changes)
        layers, _, experts = self.chance.shape
        counts = np.empty((1, layers, experts), dtype=np.int32)
        fill_mixture(
            counts,
            tokens[None],
            tokens.sum(keepdims=True),
            np.array([0, len(condition)]),
            np.column_stack([condition, changes[condition]]),
            self.chance,
            self._top_k,
            np.uint64(random.integers(2**64, dtype=np.uint64)),
            normal_quantiles(),
            self._order,
            self._sums,
            # a number that is no multiple of it lets the kernel keep the sums
            0 if self._steps == 0 else RENEWED_EVERY + 1,
        )
        self._steps += 1
        step: NDArray[np.int32] = counts[0]
        return step

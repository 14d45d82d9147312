"""Ranks that rows share unless their difference is separated."""

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.observations import Array


def shared_ranks(score: Array, separated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ranks: 1 + the number of rows that are significantly better, [rows].

    Parameters
    ----------
    score
        More is better, [rows].
    separated
        Which pairs differ, [rows, rows].
    """
    better = separated & (score[:, None] > score[None, :])
    return np.asarray(1 + better.sum(axis=0), dtype=np.int64)

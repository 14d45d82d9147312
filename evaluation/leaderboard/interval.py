"""95 % confidence intervals of scores."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.leaderboard.observations import Array
from evaluation.leaderboard.scatter import Scatter, freedom

LEVEL = 0.95


def intervals(
    score: Array, sources: Sequence[Scatter], known: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Return the ends of the 95 % confidence intervals of scores, [rows] each.

    An interval is score ± t · standard error, with Student's t for the degrees of freedom of the
    repetitions. It is right for few repetitions too, where percentiles of a bootstrap are too
    narrow.

    Parameters
    ----------
    score
        [rows].
    sources
        Independent sources of scatter.
    known
        For which rows they are known, [rows]. The ends of others are infinite.
    """
    from scipy.special import stdtrit

    if not sources:
        return np.full_like(score, -np.inf), np.full_like(score, np.inf)
    variances = np.stack([source.of_rows() for source in sources])
    degrees = freedom(variances, np.array([source.freedom for source in sources]))
    half = stdtrit(degrees, 0.5 + 0.5 * LEVEL) * np.sqrt(variances.sum(axis=0))
    half = np.where(known, half, np.inf)
    return score - half, score + half

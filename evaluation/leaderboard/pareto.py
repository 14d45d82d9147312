"""Pareto fronts: rows that no other one beats in every respect."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def front(*costs: ArrayLike) -> NDArray[np.bool_]:
    """Return which rows are on the front, less being better of every cost.

    A row is off the front if another one is at most as costly in every respect and less in one.
    What is not a number costs infinitely much.

    Parameters
    ----------
    costs
        [rows] each.
    """
    table = np.stack([np.asarray(cost, dtype=np.float64) for cost in costs], axis=1)
    table = np.where(np.isnan(table), np.inf, table)
    no_worse = (table[:, None, :] <= table[None, :, :]).all(axis=2)
    better = (table[:, None, :] < table[None, :, :]).any(axis=2)
    return np.asarray(~(no_worse & better).any(axis=0))

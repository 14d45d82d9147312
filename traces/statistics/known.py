"""Arithmetic that ignores unknown values (NaN) in means."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def known_ratio(above: ArrayLike, below: ArrayLike) -> Array:
    """Return ``above / below``, NaN where ``below`` is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)


def known_mean(values: ArrayLike) -> float:
    """Return the mean of what is not NaN; NaN if nothing is."""
    array = np.asarray(values, float)
    found = array[~np.isnan(array)]
    return float(found.mean()) if found.size else float("nan")


def correlation(one: Array, other: Array) -> Array:
    """Return Pearson's correlation along the last axis, NaN where either does not vary."""
    one = one - one.mean(axis=-1, keepdims=True)
    other = other - other.mean(axis=-1, keepdims=True)
    spread = np.sqrt((one**2).sum(axis=-1) * (other**2).sum(axis=-1))
    return known_ratio((one * other).sum(axis=-1), np.where(spread > 1e-12, spread, 0.0))

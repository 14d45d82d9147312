"""Checks and averages of past windows, for all forecasters."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts


def checked_windows(load: ArrayLike) -> NDArray[np.float64]:
    """Return ``load`` [windows, layers, experts] as a read-only copy; errors name the place."""
    return checked_amounts(load, "load", ("windows", "layers", "experts"))


def weighted_mean(windows: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean [layers, experts] of ``windows``, weighted by [windows] or [windows, layers].

    One window comes back as it is, to the last digit.
    """
    per_layer = weight[:, None] if weight.ndim == 1 else weight
    part = np.ascontiguousarray((per_layer / per_layer.sum(axis=0))[:, :, None])
    mean: NDArray[np.float64] = (windows * part).sum(axis=0)
    return mean

"""Trend: each expert continues along a straight line."""

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows


def trend(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least-squares line through each expert's windows, one window further.

    A line that falls below 0 is held at 0, since a load cannot be negative. One window has no
    trend and is returned as it is.

    Raises
    ------
    ValueError
        If the load is not [windows, layers, experts], finite and not negative.
    """
    windows = checked_windows(load)
    count = len(windows)
    time = np.arange(count) - (count - 1) / 2
    # the line's value at the next window is linear in the loads; one window has no slope
    weight = np.full(count, 1 / count)
    if count > 1:
        weight += (count + 1) / 2 * time / (time @ time)
    line: NDArray[np.float64] = np.tensordot(weight, windows, 1)
    return np.maximum(line, 0.0)

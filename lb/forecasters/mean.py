"""Mean: the average of all windows."""

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows


def mean(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the windows: the best of all where nothing drifts.

    Raises
    ------
    ValueError
        If the load is not [windows, layers, experts], finite and not negative.
    """
    average: NDArray[np.float64] = checked_windows(load).mean(axis=0)
    return average

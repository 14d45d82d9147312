"""Last: the next window equals the last one."""

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows


def last(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last window: what every published balancer implies.

    Raises
    ------
    ValueError
        If the load is not [windows, layers, experts], finite and not negative.
    """
    return checked_windows(load)[-1].copy()

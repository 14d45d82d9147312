"""Quantile: the load that an expert stays below in most windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows


@dataclass(frozen=True)
class Quantile:
    """Plan for an upper quantile of each expert's own windows.

    An expert that is hot now and then is planned as hot. The forecast adds up to more than a
    window has: it is a margin and not a mean.

    Parameters
    ----------
    level
        Of the quantile, between 0 and 1; between two windows it is interpolated.
    """

    level: float = 0.9

    def __call__(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the quantile [layers, experts].

        Raises
        ------
        ValueError
            If ``level`` is not in [0, 1], or the load is not [windows, layers, experts], finite
            and not negative.
        """
        if not 0 <= self.level <= 1:
            raise ValueError(f"level = {self.level} is outside 0 <= level <= 1")
        windows = np.sort(checked_windows(load), axis=0)
        place = self.level * (len(windows) - 1)
        below = int(place)
        above = min(below + 1, len(windows) - 1)
        step: NDArray[np.float64] = (windows[above] - windows[below]) * (place - below)
        return windows[below] + step

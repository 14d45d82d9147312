"""EWMA: the exponentially weighted moving average."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows, weighted_mean


@dataclass(frozen=True)
class Ewma:
    """Weigh a window half as much as one that is ``half_life`` windows younger.

    The weights are divided by their sum, so that few windows are no different from many.

    Parameters
    ----------
    half_life
        In windows, positive.
    """

    half_life: float = 1.0

    def __call__(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted mean [layers, experts].

        Raises
        ------
        ValueError
            If ``half_life`` is not positive and finite, or the load is not [windows, layers,
            experts], finite and not negative.
        """
        if not 0 < self.half_life < np.inf:
            raise ValueError(f"half_life = {self.half_life} is outside 0 < half_life < infinity")
        windows = checked_windows(load)
        age = np.arange(len(windows))[::-1]
        return weighted_mean(windows, 0.5 ** (age / self.half_life))

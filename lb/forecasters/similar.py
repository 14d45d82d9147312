"""Similar: the mean of the windows that resemble the last one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.windows import checked_windows, weighted_mean


@dataclass(frozen=True)
class Similar:
    """Average the last window with those before it, by how much each resembles it.

    Where traffic is calm this averages noise away as a mean does; where it has shifted, the windows
    before the shift no longer count; where it returns to what it was, those windows count again. A
    window weighs ``exp(-d / (bandwidth m))``, in each layer on its own: ``d`` is its squared
    Hellinger distance from the last window (2 - 2 sum sqrt(p q), p and q the experts' shares of the
    layer's load) and ``m`` the median of ``d`` between neighbouring windows. The weighting is ours.

    Parameters
    ----------
    bandwidth
        How unlike a window may be, in steps of the usual change from one window to the next.
    """

    bandwidth: float = 1.0

    def __call__(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted mean [layers, experts]; one window is returned as it is.

        Raises
        ------
        ValueError
            If ``bandwidth`` is not positive and finite, or the load is not [windows, layers,
            experts], finite and not negative.
        """
        if not 0 < self.bandwidth < np.inf:
            raise ValueError(f"bandwidth = {self.bandwidth} is outside 0 < bandwidth < infinity")
        windows = checked_windows(load)
        return weighted_mean(windows, self.weight(windows))

    def weight(self, windows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights [windows, layers], 1 for the last window."""
        root = np.sqrt(windows)
        distance = squared_distance(root, root[-1:])
        # Even an empty last window counts, which by its distance would be unlike itself.
        distance[-1] = 0.0
        scale = np.ones(distance.shape[1])
        if len(windows) > 1:
            scale = self.bandwidth * np.median(squared_distance(root[1:], root[:-1]), axis=0)
        # where nothing ever changes, only what is just like the last window counts
        still = np.where(distance > 0, np.inf, 0.0)
        return np.exp(-np.divide(distance, scale, out=still, where=scale > 0))


def squared_distance(root: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return squared Hellinger distances [windows, layers], from square roots of loads.

    A window without load is as far as can be, 2, from every other one.
    """
    common = (root * other).sum(axis=2)
    size = np.sqrt((root * root).sum(axis=2)) * np.sqrt((other * other).sum(axis=2))
    similarity = np.divide(common, size, out=np.zeros_like(common), where=size > 0)
    return np.maximum(2 - 2 * similarity, 0.0)

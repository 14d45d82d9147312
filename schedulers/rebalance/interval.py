"""Rebalance at a fixed interval, or never."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lb.placement import Placement


@dataclass(frozen=True)
class Interval:
    """Rebalance every ``windows`` windows, as engines do.

    Parameters
    ----------
    windows
        At least 1.
    """

    windows: int = 1

    def __call__(self, windows_seen: int, load: NDArray[np.int64], placement: Placement) -> bool:
        """Say whether ``windows_seen`` is a multiple of the interval."""
        if self.windows < 1:
            raise ValueError(f"windows = {self.windows} < 1; rebalance every 1 window or more")
        return windows_seen % self.windows == 0


def never(windows_seen: int, load: NDArray[np.int64], placement: Placement) -> bool:
    """Keep the start-up placement."""
    return False

"""Protocol of a rebalance policy."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lb.placement import Placement


class RebalancePolicy(Protocol):
    """Windows seen, their load [windows, layers, experts] and the placement to a decision."""

    def __call__(self, windows_seen: int, load: NDArray[np.int64], placement: Placement, /) -> bool:
        """Say whether to ask the solver now."""
        ...

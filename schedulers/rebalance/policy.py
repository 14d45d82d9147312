"""Protocol of a rebalance policy."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lb.placement import Placement


class RebalancePolicy(Protocol):
    """Decides whether to rebalance, from windows seen, their load and the placement."""

    def __call__(self, windows_seen: int, load: NDArray[np.int64], placement: Placement, /) -> bool:
        """Say whether to ask the solver now."""
        ...

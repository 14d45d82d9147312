"""What prices of task executors share: a placement that may change, and what their experts saw."""

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.expert_side import ExpertSide
from hardware import Operators
from lb import Placement


class PlacedPrice:
    """The placement, the load seen and the state of the fabric of a price.

    Attributes
    ----------
    comm_slowdown
        What the data part of communication takes longer, at least 1, while other traffic competes
        on the fabric; may be set while running.
    """

    operators: Operators
    experts: ExpertSide
    _comm_slowdown: float

    @property
    def placement(self) -> Placement:
        """Where the experts are; a new one must have the same layers, experts and ranks."""
        return self.experts.placement

    @placement.setter
    def placement(self, placement: Placement) -> None:
        self.experts.placement = placement

    @property
    def seen(self) -> NDArray[np.int64]:
        """[layers, experts] token copies drawn since the last :meth:`take_seen`."""
        return self.experts.seen

    def take_seen(self) -> NDArray[np.int64]:
        """Return :attr:`seen` and begin anew."""
        return self.experts.take_seen()

    @property
    def comm_slowdown(self) -> float:
        """Factor on the data part of communication, at least 1."""
        return self._comm_slowdown

    @comm_slowdown.setter
    def comm_slowdown(self, factor: float) -> None:
        if not 1 <= factor < np.inf:
            raise ValueError(f"comm_slowdown = {factor} breaks 1 <= comm_slowdown < infinity")
        self._comm_slowdown = factor

    @property
    def expert_bytes(self) -> float:
        """Bytes of one expert's weights in one layer."""
        return self.operators.model.expert_bytes(self.operators.bytes_per_weight)

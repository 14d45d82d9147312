"""What a price needs of the routing: the expert counts of one step after another."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class ExpertLoad(Protocol):
    """Draws the experts of the steps of one executor.

    :class:`traces.workload.step_draws.StepDraws` is such a load. A condition is whatever the
    routing tells apart: domain, phase, lengths, position, or a kind of sequence.
    """

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        ...

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        ...

    @property
    def num_conditions(self) -> int:
        """Conditions of the routing."""
        ...

    def __call__(
        self, tokens: NDArray[np.int64], time_s: float, random: np.random.Generator, /
    ) -> NDArray[np.int32]:
        """Return [layers, experts] token copies of a step with ``tokens`` [conditions]."""
        ...

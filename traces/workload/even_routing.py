"""Routing without any skew: every expert gets the same number of tokens."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from traces.requests import RequestTrace


@dataclass(frozen=True)
class EvenRouting:
    """Every expert gets the same number of tokens; a remainder goes to the first experts.

    The reference of perfectly balanced experts. It tells no conditions apart.

    Parameters
    ----------
    num_layers, num_experts, top_k
        Shape of the model.
    model
        Name of the model.
    """

    num_layers: int
    num_experts: int
    top_k: int
    model: str = "even"

    @property
    def domain_names(self) -> tuple[str, ...]:
        """None: all domains are alike."""
        return ()

    @property
    def num_conditions(self) -> int:
        """One."""
        return 1

    @property
    def position_edges(self) -> tuple[float, ...]:
        """None: positions make no difference."""
        return ()

    def conditions(
        self, requests: RequestTrace, phase: str, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return zeros, [requests, 1]."""
        return np.zeros((requests.num_requests, 1), dtype=np.int32)

    def sampler(self) -> "EvenRouting":
        """Return itself, since nothing is drawn."""
        return self

    def interval(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return zeros, [steps]."""
        return np.zeros(len(time_s), dtype=np.int64)

    def draw(
        self, tokens: NDArray[np.int64], interval: int, random: np.random.Generator
    ) -> NDArray[np.int32]:
        """Return even counts [steps, layers, experts] of ``tokens`` [steps, 1]."""
        each, more = np.divmod(tokens[:, 0] * self.top_k, self.num_experts)
        row = each[:, None] + (np.arange(self.num_experts) < more[:, None])
        shape = (len(tokens), self.num_layers, self.num_experts)
        return np.broadcast_to(row[:, None].astype(np.int32), shape).copy()

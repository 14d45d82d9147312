"""Seconds of a step by layer, phase and rank, and its critical path."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class CriticalSegment(NamedTuple):
    """One segment of the critical path; ``rank`` is None if all ranks take part equally."""

    layer: int
    phase: str
    rank: int | None
    seconds: float


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step, or of several, by layer and phase.

    A layer has two barriers: dispatch waits for the slowest attention, combine for the slowest
    experts (xDeepServe, arXiv:2508.02520, Fig. 10).

    Parameters
    ----------
    rank_attention, rank_experts
        [..., layers, ranks] seconds of each rank; the leading axis is that of several steps.
    dispatch, combine
        [..., layers] seconds.
    """

    rank_attention: Array
    dispatch: Array
    rank_experts: Array
    combine: Array

    @property
    def attention(self) -> Array:
        """[..., layers] seconds of the slowest rank."""
        return np.asarray(self.rank_attention.max(axis=-1))

    @property
    def experts(self) -> Array:
        """[..., layers] seconds of the slowest rank."""
        return np.asarray(self.rank_experts.max(axis=-1))

    @property
    def attention_wait(self) -> Array:
        """[..., layers, ranks] seconds that each rank waits at dispatch."""
        return np.asarray(self.attention[..., None] - self.rank_attention)

    @property
    def expert_wait(self) -> Array:
        """[..., layers, ranks] seconds that each rank waits at combine."""
        return np.asarray(self.experts[..., None] - self.rank_experts)

    @property
    def layers(self) -> Array:
        """[..., layers] seconds."""
        return self.attention + self.dispatch + self.experts + self.combine

    @property
    def total(self) -> float:
        """Seconds of one step, summed over the MoE layers of the trace."""
        return float(self.layers.sum())

    @property
    def totals(self) -> Array:
        """[...] seconds of each step, summed over the MoE layers."""
        return np.asarray(self.layers.sum(axis=-1))

    @property
    def critical_path(self) -> list[CriticalSegment]:
        """The segments of one step that add up to :attr:`total`, each with its slowest rank."""
        path = []
        slowest_attention = self.rank_attention.argmax(axis=1)
        slowest_experts = self.rank_experts.argmax(axis=1)
        for layer in range(len(self.dispatch)):
            attention, experts = int(slowest_attention[layer]), int(slowest_experts[layer])
            path += [
                CriticalSegment(layer, "attention", attention, float(self.attention[layer])),
                CriticalSegment(layer, "dispatch", None, float(self.dispatch[layer])),
                CriticalSegment(layer, "experts", experts, float(self.experts[layer])),
                CriticalSegment(layer, "combine", None, float(self.combine[layer])),
            ]
        return path

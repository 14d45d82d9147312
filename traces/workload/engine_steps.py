"""Consecutive engine steps with their expert counts and their place in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from traces.header import PHASES
from traces.routing import RoutingTrace


@dataclass(frozen=True, eq=False, repr=False)
class EngineSteps:
    """Steps of an engine, in order.

    Parameters
    ----------
    model
        Name of the model.
    top_k
        Experts that a token chooses in a layer.
    number
        [steps] number of each step in the stream.
    time_s
        [steps] second at which each starts.
    phase
        [steps] index into :data:`traces.header.PHASES`.
    tokens
        [steps] tokens.
    sequences
        [steps] requests with a token in it; -1 where a recording does not say.
    counts
        [steps, layers, experts] tokens that chose each expert.
    """

    model: str
    top_k: int
    number: NDArray[np.int64]
    time_s: NDArray[np.float64]
    phase: NDArray[np.uint8]
    tokens: NDArray[np.int64]
    sequences: NDArray[np.int64]
    counts: NDArray[np.int32]

    @property
    def num_steps(self) -> int:
        """Steps."""
        return len(self.time_s)

    @property
    def phases(self) -> tuple[str, ...]:
        """Name of each step's phase."""
        return tuple(PHASES[phase] for phase in self.phase)

    def take(self, steps: NDArray[np.int64]) -> "EngineSteps":
        """Return the steps of these places, rising."""
        return EngineSteps(
            self.model,
            self.top_k,
            self.number[steps],
            self.time_s[steps],
            self.phase[steps],
            self.tokens[steps],
            self.sequences[steps],
            self.counts[steps],
        )

    def trace(self, provenance: Mapping[str, str] | None = None) -> RoutingTrace:
        """Return the counts as a routing trace, which has no time; two phases are "mixed"."""
        names = set(self.phases)
        phase = names.pop() if len(names) == 1 else "mixed"
        return RoutingTrace(self.counts, self.model, self.top_k, phase, self.tokens, provenance)

    def __repr__(self) -> str:
        layers, experts = self.counts.shape[1:]
        return (
            f"EngineSteps({self.model}: {self.num_steps} steps, {layers} layers, "
            f"{experts} experts, top-{self.top_k})"
        )


class ModelShape(Protocol):
    """A model's name and sizes, as routing models and recordings have them."""

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def top_k(self) -> int:
        """Experts that a token chooses in a layer."""
        ...

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        ...

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        ...


def no_steps(shape: ModelShape) -> EngineSteps:
    """Return no steps of a model."""
    none = np.zeros(0, dtype=np.int64)
    counts = np.zeros((0, shape.num_layers, shape.num_experts), dtype=np.int32)
    phase = np.zeros(0, dtype=np.uint8)
    return EngineSteps(shape.model, shape.top_k, none, np.zeros(0), phase, none, none, counts)


def joined(parts: Sequence[EngineSteps]) -> EngineSteps:
    """Return the steps of all parts, at least one, one after another."""
    columns = ("number", "time_s", "phase", "tokens", "sequences", "counts")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return EngineSteps(parts[0].model, parts[0].top_k, **whole)

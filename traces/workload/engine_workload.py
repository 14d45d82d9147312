"""What every workload offers to those that judge on it."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from traces.workload.engine_steps import EngineSteps
from traces.workload.engine_window import EngineWindow


@runtime_checkable
class EngineWorkload(Protocol):
    """Engine steps and windows on a time axis, composed or recorded."""

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        ...

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        ...

    def steps(self) -> Iterator[EngineSteps]:
        """Yield all steps in order."""
        ...

    def windows(
        self,
        *,
        window_steps: int | None = None,
        window_s: float | None = None,
        sampled_steps: int = 16,
    ) -> Iterator[EngineWindow]:
        """Yield consecutive windows of steps or of seconds."""
        ...

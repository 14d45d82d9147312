"""A scheduler, or a mode of recovery, at one stage of a serving scenario."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.serving.scenario import stages
from evaluation.serving.scenario.scenario import ServingScenario


@dataclass(frozen=True)
class SchedulerCandidate:
    """A scheduler that replaces the one that a scenario names.

    Parameters
    ----------
    stage, name
        Stage of serving, and name of the scheduler or of the mode of recovery.
    seed
        Random seed; it also selects the part of the recording.
    parameters
        Parameters of the scheduler.
    reference
        Scheduler of the same stage that the score is relative to.
    """

    stage: str
    name: str
    seed: int
    reference: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return what scores depend on."""
        return {
            "stage": self.stage,
            "scheduler": self.name,
            "seed": self.seed,
            "parameters": dict(self.parameters),
            "reference": self.reference,
        }

    def put_into(self, scenario: ServingScenario) -> ServingScenario:
        """Return the scenario with this scheduler at its stage."""
        return stages.with_scheduler(scenario, self.stage, self.name, dict(self.parameters))

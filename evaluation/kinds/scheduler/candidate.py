"""A scheduler, or a mode of recovery, at one stage of a serving scenario."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.serving.scenario import stages
from evaluation.serving.scenario.scenario import ServingScenario


@dataclass(frozen=True)
class SchedulerCandidate:
    """Who is exchanged for the scheduler that a scenario names.

    Parameters
    ----------
    stage, name
        Where, and who.
    seed
        Of everything drawn, and which part of the recording is played.
    parameters
        Of the scheduler.
    reference
        Scheduler of the same stage that the score is relative to.
    """

    stage: str
    name: str
    seed: int
    reference: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, Any]:
        """Return who this is, as far as scores depend on it."""
        return {
            "stage": self.stage,
            "scheduler": self.name,
            "seed": self.seed,
            "parameters": dict(self.parameters),
            "reference": self.reference,
        }

    def put_into(self, scenario: ServingScenario) -> ServingScenario:
        """Return the scenario with this scheduler at its stage."""
        return stages.exchanged(scenario, self.stage, self.name, dict(self.parameters))

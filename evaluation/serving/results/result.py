"""The result of a serving simulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.slo import Slo


@dataclass(frozen=True, eq=False)
class Result:
    """Logs and summary of a serving simulation.

    Parameters
    ----------
    name
        Name of the scenario.
    log, samples
        Requests, and samples of the task executors over time.
    steps
        Steps of a time range; ``None`` if no range was requested.
    summary
        Summary from :func:`evaluation.serving.results.summary.summarise`.
    wall_s
        Wall time of the simulation, seconds.
    executors
        Names of the task executors, in the order of their index.
    slo
        Limits for goodput.
    scenario
        The scenario and all other inputs as plain data. Its ``fault`` list includes random faults,
        so that it can be simulated again.
    faults
        Faults by time, random ones too.
    failures
        Faults that struck, and the course of each.
    """

    name: str
    log: RequestLog
    samples: SampleLog
    steps: StepLog | None
    summary: Mapping[str, Any]
    wall_s: float
    executors: tuple[str, ...]
    slo: Slo
    scenario: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Fault] = ()
    failures: Sequence[tuple[Fault, FailurePlan]] = ()

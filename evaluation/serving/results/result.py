"""One serving simulation that ran: what its reports are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.serving.engine.log import RequestLog, SampleLog, StepLog
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.results.slo import Slo


@dataclass(frozen=True, eq=False)
class Result:
    """What a simulation wrote, and what that comes to.

    Parameters
    ----------
    name
        Of the scenario.
    log, samples
        Its requests and its task executors over time.
    steps
        Steps of a time range; ``None``: none was asked for.
    summary
        From :func:`evaluation.serving.results.summary.summarise`.
    wall_s
        Seconds that the simulation took on the clock.
    executors
        Names of the task executors, in the order of their index.
    slo
        What goodput is measured against.
    scenario
        The scenario and what else made the result, as plain data; faults that were drawn are
        among its ``fault``, so that it can be played again.
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

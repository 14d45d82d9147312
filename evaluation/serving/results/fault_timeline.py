"""Faults on the timeline of a serving simulation: undetected, in recovery, without dies."""

import math
from collections.abc import Iterator, Sequence

from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.step.timeline import MICRO, Event


def of_faults(
    failures: Sequence[tuple[Fault, FailurePlan]], executors: Sequence[str], steps: StepLog
) -> list[Event]:
    """Return the phases of faults that overlap a time range, as asynchronous slices.

    Slices of faults may overlap. The process of a slice is the executor of the fault.

    Parameters
    ----------
    failures
        Faults that struck, and the course of each.
    executors
        Names of the task executors, in the order of their index.
    steps
        Log of steps, whose time range counts.
    """
    events = []
    for number, (fault, plan) in enumerate(failures):
        where = {"cat": "fault", "id": number, "pid": executors.index(fault.executor)}
        for name, start_s, end_s in _phases(fault, plan):
            start_s, end_s = max(start_s, steps.start_s), min(end_s, steps.end_s)
            if start_s < end_s:
                named = {**where, "name": f"{fault.device}: {name}"}
                events.append({**named, "ph": "b", "ts": start_s * MICRO})
                events.append({**named, "ph": "e", "ts": end_s * MICRO})
    return events


def _phases(fault: Fault, plan: FailurePlan) -> Iterator[tuple[str, float, float]]:
    """Yield the phases of a fault in their order: name, start and end in seconds."""
    seen_s = fault.ends_s if plan.detected_s is None else plan.detected_s
    resumed_s = math.inf if plan.resumed_s is None else plan.resumed_s
    if not plan.lost_dies:
        yield "unnoticed", fault.at_s, min(seen_s, fault.ends_s)
        yield "known", min(seen_s, fault.ends_s), fault.ends_s
        return
    yield "unnoticed", fault.at_s, seen_s
    yield f"recovery, {plan.path or 'none'}", seen_s, resumed_s
    if not plan.restart:
        returns_s = math.inf if plan.returns_s is None else plan.returns_s
        yield "without its dies", resumed_s, returns_s

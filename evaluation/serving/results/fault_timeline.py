"""Faults on the timeline of a serving simulation: how long each was unnoticed and in recovery."""

import math
from collections.abc import Iterator, Sequence

from evaluation.serving.engine.log import StepLog
from evaluation.serving.faults.failure_plan import Outage
from evaluation.serving.faults.fault import Fault
from evaluation.step.timeline import MICRO, Event


def of_faults(
    outages: Sequence[tuple[Fault, Outage]], executors: Sequence[str], steps: StepLog
) -> list[Event]:
    """Return the phases of faults that overlap a time range, as asynchronous slices.

    These may overlap, as faults may. A process is the executor of the fault.

    Parameters
    ----------
    outages
        Faults and what they did.
    executors
        Names of the task executors, in the order of their index.
    steps
        Whose range it is.
    """
    events = []
    for number, (fault, outage) in enumerate(outages):
        where = {"cat": "fault", "id": number, "pid": executors.index(fault.executor)}
        for name, start_s, end_s in _phases(fault, outage):
            start_s, end_s = max(start_s, steps.start_s), min(end_s, steps.end_s)
            if start_s < end_s:
                named = {**where, "name": f"{fault.kind} {fault.name or fault.index}: {name}"}
                events.append({**named, "ph": "b", "ts": start_s * MICRO})
                events.append({**named, "ph": "e", "ts": end_s * MICRO})
    return events


def _phases(fault: Fault, outage: Outage) -> Iterator[tuple[str, float, float]]:
    """Yield what a fault does one after the other: name, start and end in seconds."""
    seen_s = fault.ends_s if outage.detected_s is None else outage.detected_s
    resumed_s = math.inf if outage.resumed_s is None else outage.resumed_s
    if not outage.lost_dies:
        yield "unnoticed", fault.at_s, min(seen_s, fault.ends_s)
        yield "known", min(seen_s, fault.ends_s), fault.ends_s
        return
    yield "unnoticed", fault.at_s, seen_s
    yield f"recovery, {outage.path or 'none'}", seen_s, resumed_s
    if not outage.restart:
        returns_s = math.inf if outage.returns_s is None else outage.returns_s
        yield "without its dies", resumed_s, returns_s

"""Checks of faults against the task executors that exist, before time starts."""

import dataclasses
import difflib
import math
from collections.abc import Iterable, Sequence

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault, in_order
from evaluation.serving.faults.kinds import KINDS

#: Keys of a [[fault]] table that every kind has.
COMMON_KEYS = frozenset({"at_s", "executor", "kind", "index", "lasts_s"})


def check(faults: Iterable[Fault], executors: Sequence[ExecutorDies]) -> tuple[Fault, ...]:
    """Return the faults by time, if all of them can happen.

    Raises
    ------
    ValueError
        Naming the fault, if its executor does not exist (the nearest is suggested), its kind is
        unknown, its time is negative, ``lasts_s`` <= 0, it has a key of another kind, or its kind
        refuses it (:meth:`evaluation.serving.faults.kinds.FaultKind.check`).
    """
    by_name = {executor.name: executor for executor in executors}
    if len(by_name) < len(executors):
        names = [executor.name for executor in executors]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"executors {', '.join(twice)} occur twice; give each its own name")
    faults = list(faults)
    for fault in faults:
        if fault.executor not in by_name:
            near = difflib.get_close_matches(fault.executor, by_name, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(by_name)}"
            raise ValueError(f"{fault.label}: no executor {fault.executor!r}; {hint}")
        if fault.kind not in KINDS:
            kinds = ", ".join(KINDS)
            raise ValueError(f"{fault.label}: kind = {fault.kind!r} is not one of {kinds}")
        _check_times(fault)
        _check_keys(fault)
        KINDS[fault.kind].check(fault, by_name[fault.executor])
    return in_order(faults)


def _check_times(fault: Fault) -> None:
    if not (math.isfinite(fault.at_s) and fault.at_s >= 0):
        raise ValueError(f"{fault.label}: at_s = {fault.at_s} breaks 0 <= at_s < infinity")
    if fault.lasts_s is not None and not (math.isfinite(fault.lasts_s) and fault.lasts_s > 0):
        raise ValueError(
            f"{fault.label}: lasts_s = {fault.lasts_s} breaks 0 < lasts_s < infinity; leave it out "
            "for never repaired"
        )


def _check_keys(fault: Fault) -> None:
    """Refuse a key of another kind that has another value than its default."""
    foreign = [
        field
        for field in dataclasses.fields(Fault)
        if field.name not in COMMON_KEYS | KINDS[fault.kind].keys
    ]
    for field in foreign:
        if getattr(fault, field.name) != field.default:
            owners = ", ".join(kind.name for kind in KINDS.values() if field.name in kind.keys)
            raise ValueError(
                f"{fault.label}: {field.name} is a key of {owners} alone; leave it out"
            )

"""Checks of faults against the executors that there are, before time starts."""

import difflib
import math
from collections.abc import Iterable, Sequence

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import broken_parts
from evaluation.serving.faults.fault import KINDS, Fault, in_order


def check(faults: Iterable[Fault], executors: Sequence[ExecutorDies]) -> tuple[Fault, ...]:
    """Return the faults by time, if all of them can happen.

    Raises
    ------
    ValueError
        Naming the fault, if its executor does not exist (the nearest is suggested), its kind is
        unknown, its time negative, ``lasts_s`` <= 0, its die, node, plane, link or switch not
        there, or it has a figure that is of another kind.
    """
    by_name = {executor.name: executor for executor in executors}
    if len(by_name) < len(executors):
        names = [executor.name for executor in executors]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"executors {', '.join(twice)} occur twice; give each its own name")
    ordered = list(faults)
    for fault in ordered:
        if fault.executor not in by_name:
            near = difflib.get_close_matches(fault.executor, by_name, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(by_name)}"
            raise ValueError(f"{fault.label}: no executor {fault.executor!r}; {hint}")
        _check_figures(fault)
        _check_place(fault, by_name[fault.executor])
    return in_order(ordered)


def _check_figures(fault: Fault) -> None:
    if fault.kind not in KINDS:
        raise ValueError(f"{fault.label}: kind = {fault.kind!r} is not one of {', '.join(KINDS)}")
    if not (math.isfinite(fault.at_s) and fault.at_s >= 0):
        raise ValueError(f"{fault.label}: at_s = {fault.at_s} breaks 0 <= at_s < infinity")
    if fault.lasts_s is not None and not (math.isfinite(fault.lasts_s) and fault.lasts_s > 0):
        raise ValueError(
            f"{fault.label}: lasts_s = {fault.lasts_s} breaks 0 < lasts_s < infinity; leave it out "
            "for never repaired"
        )
    if fault.kind == "slow" and not 0 < fault.speed < 1:
        raise ValueError(f"{fault.label}: speed = {fault.speed} breaks 0 < speed < 1")
    if fault.kind != "slow" and (fault.speed != 1 or not fault.detected):
        raise ValueError(f"{fault.label}: speed and detected are of a slow die; leave them out")
    if fault.name and fault.kind not in ("link", "switch"):
        raise ValueError(
            f"{fault.label}: name is of a link or switch; give the index of a {fault.kind}"
        )
    if fault.plane and fault.kind not in ("link", "switch"):
        raise ValueError(f"{fault.label}: plane is of a link or switch; leave it out")
    if fault.name and fault.index:
        raise ValueError(
            f"{fault.label}: name and index = {fault.index} are both given; give one of them"
        )


def _check_place(fault: Fault, executor: ExecutorDies) -> None:
    if fault.kind in ("link", "switch"):
        if executor.fabric is None:
            raise ValueError(
                f"{fault.label}: {executor.name} has no fabric; give it one, or leave the fault out"
            )
        fabric = executor.network(fault.plane)
        if fabric is None:
            raise ValueError(
                f"{fault.label}: plane = {fault.plane!r} is none of those between the dies of "
                f"{executor.name}; there are {', '.join(executor.planes) or 'no others'}"
            )
        broken_parts(fabric, [fault])
        return
    noun, number = {
        "die": ("dies", executor.dies),
        "slow": ("dies", executor.dies),
        "node": ("nodes", executor.nodes),
        "glitch": ("glitches at one time, which have no index,", 1),
    }[fault.kind]
    if not 0 <= fault.index < number:
        raise ValueError(
            f"{fault.label}: index = {fault.index} breaks 0 <= index < {number} {noun} of "
            f"{executor.name}"
        )

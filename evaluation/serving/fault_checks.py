"""Checks of faults against the executors that there are, before time starts."""

import difflib
import math
from collections.abc import Iterable, Sequence

from evaluation.serving.executor_dies import ExecutorDies
from evaluation.serving.fabric_faults import broken_parts, is_cut
from evaluation.serving.faults import KINDS, Fault, in_order


def check(faults: Iterable[Fault], executors: Sequence[ExecutorDies]) -> tuple[Fault, ...]:
    """Return the faults by time, if all of them can happen.

    Raises
    ------
    ValueError
        Naming the fault, if its executor does not exist (the nearest is suggested), its kind is
        unknown, its time negative, ``lasts_s`` <= 0, its die, node, link or switch not there, it
        has a figure that is of another kind, or links and switches that are broken at one time cut
        a network in two.
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
    found = in_order(ordered)
    for executor in executors:
        _check_paths(executor, [fault for fault in found if fault.executor == executor.name])
    return found


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
        broken_parts(executor.fabric, [fault])
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


def _check_paths(executor: ExecutorDies, faults: list[Fault]) -> None:
    """Refuse links and switches that are broken together and cut the fabric."""
    network = [fault for fault in faults if fault.kind in ("link", "switch")]
    for number, last in enumerate(network):
        broken = [fault for fault in network[: number + 1] if fault.ends_s > last.at_s]
        if executor.fabric is not None and is_cut(executor.fabric, broken):
            others = f", with {len(broken) - 1} others broken," if len(broken) > 1 else ""
            raise ValueError(
                f"{last.label}: this{others} leaves dies of {executor.name} without a path; "
                "fail the dies or nodes that are cut off instead"
            )

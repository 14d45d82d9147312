"""What one fault takes down, and when what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import dies_hit
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.recovery import Recovery
from evaluation.serving.faults.shrink import missing_experts


@dataclass(frozen=True)
class Outage:
    """The course of one fault. Times are simulated seconds; ``None`` for never.

    Parameters
    ----------
    executors
        Names of the task executors that stand still: that of the fault first; none if the fault
        stops nothing.
    failed_s
        From when on the executor of the fault hangs: its dies wait for each other in every layer.
        So they do for a path that is gone, until it is noticed or back. Others that stand still do
        so from ``detected_s`` on.
    detected_s
        When it is noticed. Links, switches and slow dies that are themselves again by then never
        are.
    resumed_s
        When the executors step again.
    path
        Which of :class:`evaluation.serving.faults.recovery.Recovery`'s seconds were taken; empty
        for none.
    restart
        The executors start anew: all their DP groups have lost their keys and values.
    lost_groups
        DP groups of the executor of the fault that have lost theirs.
    lost_dies
        Dies that it has lost, beside those lost before. After a restart they are there again: with
        spares, all that it was built with, else those it had before the fault. Without restart,
        they and their DP groups stay away until ``returns_s``.
    kept_ranks
        Dies with experts that it goes on with, ascending; after a restart with these.
    rolled_back
        The step under way comes to nothing and all DP groups compute it again, no cache lost.
    returns_s
        When the device is repaired, but not before the executors step again.
    missing
        It goes on without some experts (:func:`evaluation.serving.faults.shrink.missing_experts`).
    killed
        Executor that gave its dies and stays down; empty for none.
    killed_resumes_s
        When that one steps again.
    """

    executors: tuple[str, ...]
    failed_s: float
    detected_s: float | None
    resumed_s: float | None
    path: str = ""
    restart: bool = False
    lost_groups: tuple[int, ...] = ()
    lost_dies: tuple[int, ...] = ()
    kept_ranks: tuple[int, ...] = ()
    rolled_back: bool = False
    returns_s: float | None = None
    missing: bool = False
    killed: str = ""
    killed_resumes_s: float | None = None


def plan(
    fault: Fault,
    executors: Sequence[ExecutorDies],
    recovery: Recovery,
    broken: Sequence[Fault] = (),
) -> Outage:
    """Return what a fault does, under the rules of recovery.

    A lost die takes its experts and the keys and values of its DP groups with it; the other dies of
    such a group hold no attention until it returns. With an unknown placement, experts are taken to
    have no replica. An executor that would have no DP group, no expert die or no memory for its
    experts left restarts instead, whatever the mode.

    A link or switch leaves traffic to the other paths, but only once it is detected. Until then,
    or until its repair if that is sooner, traffic that hashes onto the dead path never arrives and
    all dies wait for it; then the step under way is computed again: assumptions of ours. On a
    plane that carries keys and values alone, no step waits. Dies that it cuts off, together with
    those broken already, are lost as if they had failed, on whatever plane.

    A glitch rolls one step back (xDeepServe section 6, stage 3) and stops the executor for
    ``lasts_s``. A slow die stops nothing.

    Parameters
    ----------
    fault
        Checked (:func:`evaluation.serving.faults.checks.check`).
    executors
        All of them, as they are now; one that is down has lost all its dies.
    recovery
        The rules.
    broken
        Links and switches of the executor that are broken already.

    Raises
    ------
    ValueError
        If there is no such executor.
    """
    named = [executor for executor in executors if executor.name == fault.executor]
    if not named:
        raise ValueError(f"{fault.label}: no executor {fault.executor!r}; check the faults first")
    executor, repaired_s = named[0], fault.ends_s if fault.lasts_s is not None else None
    at_s, kept = fault.at_s, executor.ranks
    if fault.kind == "glitch":
        stopped = (executor.name,) if fault.lasts_s else ()
        end_s = at_s + (fault.lasts_s or 0.0)
        return Outage(stopped, at_s, at_s, end_s, kept_ranks=kept, rolled_back=True)
    noticed_s = recovery.detected_s(at_s)
    if fault.kind == "slow":
        noticed_s = recovery.straggler_detected_s(at_s)
        seen_s = noticed_s if fault.detected and noticed_s < fault.ends_s else None
        return Outage((), at_s, seen_s, at_s, kept_ranks=kept, returns_s=repaired_s)
    hit = dies_hit(fault, executor, broken)
    lost = tuple(die for die in hit if die not in executor.lost_dies)
    if not lost and fault.kind in ("link", "switch"):
        return _rerouted(fault, executor, noticed_s)
    if not lost:
        return Outage((), at_s, at_s, at_s, kept_ranks=kept)
    outage = Outage(
        (executor.name,),
        at_s,
        noticed_s,
        None,
        lost_groups=executor.groups_on(lost),
        lost_dies=lost,
        kept_ranks=tuple(die for die in kept if die not in lost),
        returns_s=repaired_s,
    )
    gone = set(executor.groups_on([*lost, *executor.lost_dies]))
    goes_on = len(gone) < executor.groups and bool(outage.kept_ranks)
    if recovery.mode == "shrink":
        goes_on &= executor.role != "prefill" and _fits(executor, len(outage.kept_ranks))
    if goes_on and recovery.mode in ("shrink", "missing-experts"):
        return _running_on(outage, executor, recovery)
    return _restarting(outage, executor, executors, recovery)


def _rerouted(fault: Fault, executor: ExecutorDies, noticed_s: float) -> Outage:
    """Wait for new routes, or for the repair if that is sooner; lose nothing but a step."""
    kept, at_s = executor.ranks, fault.at_s
    repaired_s = None if fault.lasts_s is None else fault.ends_s
    seen_s = noticed_s if noticed_s < fault.ends_s else None
    if executor.network(fault.plane) is not executor.fabric:
        return Outage((), at_s, seen_s, at_s, kept_ranks=kept, returns_s=repaired_s)
    return Outage(
        (executor.name,),
        at_s,
        seen_s,
        min(noticed_s, fault.ends_s),
        kept_ranks=kept,
        rolled_back=True,
        returns_s=repaired_s,
    )


def _running_on(outage: Outage, executor: ExecutorDies, recovery: Recovery) -> Outage:
    """Go on with the dies that are left, by the slowest path that a lost die asks for."""
    paths = []
    experts = bool(set(outage.lost_dies) & set(executor.ranks))
    unique = experts and _loses_experts(executor, outage.kept_ranks)
    if executor.colocated:
        loads = unique and recovery.mode == "shrink"
        paths.append("colocated_load_s" if loads else "colocated_s")
    else:
        if any(executor.holds_attention(die) for die in outage.lost_dies):
            paths.append("attention_die_s")
        if experts:
            alone = "role_switch_s" if recovery.mode == "shrink" else "missing_expert_s"
            paths.append(alone if unique else "redundant_expert_s")
    missing = unique and recovery.mode == "missing-experts"
    path = max(paths, key=lambda name: float(getattr(recovery, name)))
    return _resumed(replace(outage, path=path, missing=missing), recovery)


def _loses_experts(executor: ExecutorDies, kept: tuple[int, ...]) -> bool:
    """Say whether an expert has no replica on the dies that are left."""
    if executor.placement is None:
        return True
    placed_on = executor.placed_on or ()
    lost = [rank for rank, die in enumerate(placed_on) if die not in kept]
    return bool(missing_experts(executor.placement, lost).missing.any())


def _fits(executor: ExecutorDies, kept: int) -> bool:
    """Say whether so many dies have memory for every expert once."""
    if executor.placement is None or executor.most_slots is None:
        return True
    return kept * executor.most_slots >= executor.placement.num_experts


def _restarting(
    outage: Outage, executor: ExecutorDies, executors: Sequence[ExecutorDies], recovery: Recovery
) -> Outage:
    """Start anew, with a spare, with the dies of another executor, or after the repair."""
    names = outage.executors
    if recovery.mode == "restart-the-world":
        names += tuple(one.name for one in executors if one.name != executor.name)
    groups = tuple(range(executor.groups))
    begun = replace(
        outage,
        executors=names,
        path="full_restart_s",
        restart=True,
        lost_groups=groups,
        kept_ranks=executor.ranks,
    )
    if recovery.spares:
        whole = replace(begun, kept_ranks=executor.built_ranks)
        return replace(_resumed(whole, recovery), returns_s=None)
    killed = _given(outage, executor, executors) if recovery.mode == "failover" else ""
    if killed:
        resumed = _resumed(replace(begun, executors=(*names, killed), killed=killed), recovery)
        back_s = resumed.returns_s
        again_s = None if back_s is None else back_s + recovery.full_restart_s
        return replace(resumed, killed_resumes_s=again_s)
    if outage.returns_s is None or outage.detected_s is None:
        return replace(begun, resumed_s=None)
    start_s = max(outage.detected_s, outage.returns_s)
    return replace(begun, resumed_s=start_s + recovery.full_restart_s, returns_s=None)


def _given(outage: Outage, executor: ExecutorDies, executors: Sequence[ExecutorDies]) -> str:
    """Return the executor that gives its dies to one that decodes: the last that only prefills.

    It has as many as were lost, and another one that prefills stays. Empty if there is none.
    """
    others = [one for one in executors if one.name != executor.name]
    able = [
        one
        for one in others
        if one.role == "prefill" and one.dies - len(one.lost_dies) >= len(outage.lost_dies)
    ]
    prefilling = sum(one.role != "decode" and len(one.lost_dies) < one.dies for one in others)
    return able[-1].name if executor.role == "decode" and able and prefilling > 1 else ""


def _resumed(outage: Outage, recovery: Recovery) -> Outage:
    detected_s = outage.failed_s if outage.detected_s is None else outage.detected_s
    resumed_s = detected_s + float(getattr(recovery, outage.path))
    back_s = outage.returns_s
    returns_s = None if back_s is None else max(back_s, resumed_s)
    return replace(outage, resumed_s=resumed_s, returns_s=returns_s)

"""The course of a fault that takes dies: going on without them, or a restart."""

from collections.abc import Sequence
from dataclasses import replace

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.recovery import Recovery
from evaluation.serving.faults.shrink import missing_experts


def plan_die_loss(
    fault: Fault,
    lost: tuple[int, ...],
    executor: ExecutorDies,
    executors: Sequence[ExecutorDies],
    recovery: Recovery,
) -> FailurePlan:
    """Return the course of a fault that takes dies which were not lost before.

    A lost die takes its experts and the keys and values of its DP groups with it. The other dies of
    such a group hold no attention until it returns. With an unknown placement, experts are taken to
    have no replica. An executor that would have no DP group, no expert die or no memory for its
    experts left restarts instead, whatever the mode.

    Parameters
    ----------
    fault
        The fault.
    lost
        Dies that the fault takes, at least one.
    executor
        The executor of the fault, before the fault.
    executors
        All executors now; an executor that is down has lost all its dies.
    recovery
        Mode and times of recovery.
    """
    plan = FailurePlan(
        (executor.name,),
        fault.at_s,
        recovery.detected_s(fault.at_s),
        None,
        lost_groups=executor.groups_on(lost),
        lost_dies=lost,
        kept_ranks=tuple(die for die in executor.ranks if die not in lost),
        returns_s=None if fault.lasts_s is None else fault.ends_s,
    )
    stopped = executor.groups_on([*lost, *executor.lost_dies])
    goes_on = len(stopped) < executor.groups and bool(plan.kept_ranks)
    if recovery.mode == "shrink":
        goes_on &= executor.role != "prefill" and _fits(executor, len(plan.kept_ranks))
    if goes_on and recovery.mode in ("shrink", "missing-experts"):
        return _continue_with_fewer_dies(plan, executor, recovery)
    return _restart(plan, executor, executors, recovery)


def _continue_with_fewer_dies(
    plan: FailurePlan, executor: ExecutorDies, recovery: Recovery
) -> FailurePlan:
    """Go on with the dies that are left, by the slowest path that a lost die needs."""
    paths = []
    experts = bool(set(plan.lost_dies) & set(executor.ranks))
    unique = experts and _loses_experts(executor, plan.kept_ranks)
    if executor.colocated:
        loads = unique and recovery.mode == "shrink"
        paths.append("colocated_load_s" if loads else "colocated_s")
    else:
        if any(executor.holds_attention(die) for die in plan.lost_dies):
            paths.append("attention_die_s")
        if experts:
            alone = "role_switch_s" if recovery.mode == "shrink" else "missing_expert_s"
            paths.append(alone if unique else "redundant_expert_s")
    missing = unique and recovery.mode == "missing-experts"
    path = max(paths, key=lambda name: float(getattr(recovery, name)))
    return _resumed(replace(plan, path=path, missing=missing), recovery)


def _loses_experts(executor: ExecutorDies, kept: tuple[int, ...]) -> bool:
    """Return whether an expert has no replica on the dies that are left."""
    if executor.placement is None:
        return True
    placed_on = executor.placed_on or ()
    lost = [rank for rank, die in enumerate(placed_on) if die not in kept]
    return bool(missing_experts(executor.placement, lost).missing.any())


def _fits(executor: ExecutorDies, kept: int) -> bool:
    """Return whether ``kept`` dies have memory for every expert once."""
    if executor.placement is None or executor.most_slots is None:
        return True
    return kept * executor.most_slots >= executor.placement.num_experts


def _restart(
    plan: FailurePlan, executor: ExecutorDies, executors: Sequence[ExecutorDies], recovery: Recovery
) -> FailurePlan:
    """Restart with a spare, with the dies of another executor, or after the repair."""
    names = plan.executors
    if recovery.mode == "restart-the-world":
        names += tuple(each.name for each in executors if each.name != executor.name)
    restart = replace(
        plan,
        executors=names,
        path="full_restart_s",
        restart=True,
        lost_groups=tuple(range(executor.groups)),
        kept_ranks=executor.ranks,
    )
    if recovery.spares:
        whole = replace(restart, kept_ranks=executor.built_ranks)
        return replace(_resumed(whole, recovery), returns_s=None)
    donor = _donor(plan, executor, executors) if recovery.mode == "failover" else ""
    if donor:
        resumed = _resumed(replace(restart, executors=(*names, donor), killed=donor), recovery)
        back_s = resumed.returns_s
        donor_back_s = None if back_s is None else back_s + recovery.full_restart_s
        return replace(resumed, killed_resumes_s=donor_back_s)
    if plan.returns_s is None or plan.detected_s is None:
        return replace(restart, resumed_s=None)
    start_s = max(plan.detected_s, plan.returns_s)
    return replace(restart, resumed_s=start_s + recovery.full_restart_s, returns_s=None)


def _donor(plan: FailurePlan, executor: ExecutorDies, executors: Sequence[ExecutorDies]) -> str:
    """Return the last executor of role prefill that can give its dies to a decode executor.

    It has at least as many dies as were lost, and another executor with prefill remains. Empty if
    there is no such executor.
    """
    others = [other for other in executors if other.name != executor.name]
    donors = [
        other
        for other in others
        if other.role == "prefill" and other.dies - len(other.lost_dies) >= len(plan.lost_dies)
    ]
    prefilling = sum(
        other.role != "decode" and len(other.lost_dies) < other.dies for other in others
    )
    return donors[-1].name if executor.role == "decode" and donors and prefilling > 1 else ""


def _resumed(plan: FailurePlan, recovery: Recovery) -> FailurePlan:
    """Add the seconds of the path, from detection on."""
    detected_s = plan.failed_s if plan.detected_s is None else plan.detected_s
    resumed_s = detected_s + float(getattr(recovery, plan.path))
    back_s = plan.returns_s
    returns_s = None if back_s is None else max(back_s, resumed_s)
    return replace(plan, resumed_s=resumed_s, returns_s=returns_s)

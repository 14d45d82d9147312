"""From a fault to its course, by its effect and the rules of recovery."""

from collections.abc import Sequence

from evaluation.serving.faults.die_loss import plan_die_loss
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import dies_hit
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS, FaultEffect
from evaluation.serving.faults.recovery import Recovery


def plan_failure(
    fault: Fault,
    executors: Sequence[ExecutorDies],
    recovery: Recovery,
    broken: Sequence[Fault] = (),
) -> FailurePlan:
    """Return the course of a fault, under the rules of recovery.

    * A fault that interrupts stops the executor for ``lasts_s`` and rolls one step back.
    * A slow die stops nothing.
    * A lost die stops its executor; see :func:`evaluation.serving.faults.die_loss.plan_die_loss`.
      Dies that a broken link or switch cuts off, together with those broken already, are lost as if
      they had failed, on whatever network.
    * Any other broken link or switch leaves traffic to the other paths, but only once it is
      detected. Until then, or until its repair if that is sooner, traffic that hashes onto the dead
      path never arrives and all dies wait for it. Then the step under way is computed again. These
      are assumptions of ours. On a network that carries keys and values alone, no step waits.

    Parameters
    ----------
    fault
        Checked by :func:`evaluation.serving.faults.checks.check`.
    executors
        All executors now; an executor that is down has lost all its dies.
    recovery
        The rules.
    broken
        Faults of the executor's links and switches that are broken already.

    Raises
    ------
    ValueError
        If there is no such executor.
    """
    executor = next((each for each in executors if each.name == fault.executor), None)
    if executor is None:
        raise ValueError(f"{fault.label}: no executor {fault.executor!r}; check the faults first")
    effect = KINDS[fault.kind].effect
    if effect is FaultEffect.INTERRUPTS:
        return _interrupted(fault, executor)
    if effect is FaultEffect.SLOWS_DIES:
        return _slowed(fault, executor, recovery)
    hit = dies_hit(fault, executor, broken)
    lost = tuple(die for die in hit if die not in executor.lost_dies)
    if lost:
        return plan_die_loss(fault, lost, executor, executors, recovery)
    if effect is FaultEffect.BREAKS_PATHS:
        return _rerouted(fault, executor, recovery)
    at_s = fault.at_s  # all dies of the fault are lost already
    return FailurePlan((), at_s, at_s, at_s, kept_ranks=executor.ranks)


def _interrupted(fault: Fault, executor: ExecutorDies) -> FailurePlan:
    """Compute one step again, after the disturbance."""
    at_s, lasts_s = fault.at_s, fault.lasts_s or 0.0
    stopped = (executor.name,) if lasts_s else ()
    kept = executor.ranks
    return FailurePlan(stopped, at_s, at_s, at_s + lasts_s, kept_ranks=kept, rolled_back=True)


def _slowed(fault: Fault, executor: ExecutorDies, recovery: Recovery) -> FailurePlan:
    """Run on; solvers know of the slow die once it is detected."""
    at_s, seen_s = fault.at_s, recovery.straggler_detected_s(fault.at_s)
    return FailurePlan(
        (),
        at_s,
        seen_s if fault.detected and seen_s < fault.ends_s else None,
        at_s,
        kept_ranks=executor.ranks,
        returns_s=None if fault.lasts_s is None else fault.ends_s,
    )


def _rerouted(fault: Fault, executor: ExecutorDies, recovery: Recovery) -> FailurePlan:
    """Wait for new routes, or for the repair if that is sooner; lose nothing but a step."""
    at_s, seen_s = fault.at_s, recovery.detected_s(fault.at_s)
    carries_steps = executor.network(fault.plane) is executor.fabric
    return FailurePlan(
        (executor.name,) if carries_steps else (),
        at_s,
        seen_s if seen_s < fault.ends_s else None,
        min(seen_s, fault.ends_s) if carries_steps else at_s,
        kept_ranks=executor.ranks,
        rolled_back=carries_steps,
        returns_s=None if fault.lasts_s is None else fault.ends_s,
    )

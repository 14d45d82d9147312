"""Faults in event time: what hangs, what is lost, and when what comes back."""

import dataclasses
from collections.abc import Generator, Sequence
from typing import Any

import simpy

from evaluation.serving.engine.system import System
from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import dies_hit
from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.faults.failure_planning import plan_failure
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS, FaultEffect
from evaluation.serving.faults.recovery import Recovery
from evaluation.serving.recovery.executor_health import ExecutorHealth

Process = Generator[simpy.Event, Any, None]


class FaultInjector:
    """Injects faults into a serving system, and recovers from them.

    Every fault is a process of its own, identified by its number in ``faults``. Faults may overlap:
    an executor stays stopped until every fault that stops it is over, and a die is away until every
    fault that hit it is repaired.

    Parameters
    ----------
    env, system
        Event time, and the system that runs in it.
    health
        Of the system's executors, in its order.
    faults
        In any order.
    recovery
        The rules.

    Attributes
    ----------
    faults
        The faults by time.
    history
        Faults that have struck, in their order, and the course of each.

    Raises
    ------
    ValueError
        If a fault cannot happen (:func:`evaluation.serving.faults.checks.check`).
    """

    def __init__(
        self,
        env: simpy.Environment,
        system: System,
        health: Sequence[ExecutorHealth],
        faults: Sequence[Fault],
        recovery: Recovery,
    ) -> None:
        self.env, self.system, self.recovery = env, system, recovery
        self.faults = check(faults, [each.dies for each in health])
        self.health = {each.dies.name: each for each in health}
        self.history: list[tuple[Fault, FailurePlan]] = []
        for key, fault in enumerate(self.faults):
            env.process(self._inject(key, fault))

    def _inject(self, key: int, fault: Fault) -> Process:
        yield self.env.timeout(fault.at_s)
        health = self.health[fault.executor]
        plan = plan_failure(fault, self._executors_seen_by(health), self.recovery, health.broken)
        self.history.append((fault, plan))
        effect = KINDS[fault.kind].effect
        if effect is FaultEffect.SLOWS_DIES:
            yield from self._slow_down(fault, plan, health)
            return
        hit = dies_hit(fault, health.dies, health.broken)
        for die in hit:
            health.repaired_s[die] = max(health.repaired_s.get(die, 0.0), fault.ends_s)
        if effect is FaultEffect.BREAKS_PATHS:
            health.broken.append(fault)
            self.env.process(self._repair_path(fault, health))
        if plan.lost_dies:
            yield from self._lose_dies(key, fault, plan, health)
        elif effect is FaultEffect.BREAKS_PATHS:
            yield from self._reroute(key, fault, plan, health)
        elif plan.rolled_back:
            health.stop(key)
            yield from self._until(plan.resumed_s)
            self._resume(key, health)
        if hit and plan.resumed_s is not None and fault.lasts_s is not None:
            yield from self._until(max(fault.ends_s, plan.resumed_s))
            yield from self._return_dies(key, health)
        yield from self._restart_donor(key, plan)

    def _executors_seen_by(self, own: ExecutorHealth) -> list[ExecutorDies]:
        """Return the executors as recovery sees them: one that is down has no dies to give."""
        executors = []
        for health in self.health.values():
            dies = health.dies_as_placed()
            if health is not own and (health.restarting or health.executor.dead):
                lost = frozenset(range(dies.dies))
                dies = dataclasses.replace(dies, lost_dies=lost, placed_on=dies.placed_on)
            executors.append(dies)
        return executors

    def _until(self, at_s: float | None) -> Process:
        if at_s is not None and at_s > self.env.now:
            yield self.env.timeout(at_s - self.env.now)

    def _resume(self, key: int, *stopped: ExecutorHealth) -> None:
        """Let executors step again, and route requests that waited for free capacity."""
        for health in stopped:
            health.resume(key)
            health.executor.wake()
            self.system.retry_assignment(health.executor)
        self.system.retry_waiting()

    def _slow_down(self, fault: Fault, plan: FailurePlan, health: ExecutorHealth) -> Process:
        """Run dies at a lower speed until the repair; solvers know of it from detection on."""
        health.slow.append(fault)
        health.update_executor()
        if plan.detected_s is not None:
            yield from self._until(plan.detected_s)
            health.known_slow.append(fault)
            health.update_executor()
        if fault.lasts_s is not None:
            yield from self._until(fault.ends_s)
            health.slow.remove(fault)
            if fault in health.known_slow:
                health.known_slow.remove(fault)
            health.update_executor()

    def _repair_path(self, fault: Fault, health: ExecutorHealth) -> Process:
        """Use a link or switch again from its repair on; routes are known at once."""
        if fault.lasts_s is None:
            return
        yield from self._until(fault.ends_s)
        # by identity: another fault may break the same part at the same time for as long
        health.broken = [other for other in health.broken if other is not fault]
        health.known_broken = [other for other in health.known_broken if other is not fault]
        health.update_executor()

    def _reroute(
        self, key: int, fault: Fault, plan: FailurePlan, health: ExecutorHealth
    ) -> Process:
        """Let traffic wait until the fault is detected, or repaired if that is sooner."""
        clear_s = fault.ends_s if plan.detected_s is None else plan.detected_s
        if plan.executors:
            health.stop(key)
        self._delay_transfers(fault, health, clear_s)
        yield from self._until(clear_s)
        self._detect_path(fault, health)
        health.update_executor()
        self._resume(key, health)

    def _delay_transfers(self, fault: Fault, health: ExecutorHealth, until_s: float) -> None:
        """Let transfers of keys and values wait that start before ``until_s`` on a broken plane."""
        dies, breaks = health.dies, KINDS[fault.kind].effect is FaultEffect.BREAKS_PATHS
        if breaks and dies.network(fault.plane) is dies.planes.get(health.kv_plane):
            health.executor.kv_from_s = max(health.executor.kv_from_s, until_s)

    def _detect_path(self, fault: Fault, health: ExecutorHealth) -> None:
        """Note that a broken part is known, unless it is repaired by now."""
        if any(other is fault for other in health.broken):
            health.known_broken.append(fault)

    def _lose_dies(
        self, key: int, fault: Fault, plan: FailurePlan, health: ExecutorHealth
    ) -> Process:
        """Hang until the loss is detected, then go on without the dies or restart."""
        health.stop(key)
        if not plan.restart:
            health.lose_dies(plan.lost_dies)
        assert plan.detected_s is not None
        self._delay_transfers(fault, health, plan.detected_s)
        yield from self._until(plan.detected_s)
        self._detect_path(fault, health)
        stopped = [self.health[name] for name in plan.executors]
        self._fail_groups(key, plan, stopped)
        if plan.resumed_s is None:
            for other in stopped:
                other.executor.dead = True
            return
        yield from self._until(plan.resumed_s)
        if plan.restart and (self.recovery.spares or plan.killed):
            health.replace_hardware(all_dies=self.recovery.spares)
        restarted = [other for other in stopped if other.dies.name != plan.killed]
        for other in restarted:
            other.restarting.discard(key)
            other.update_executor()
        self._resume(key, *restarted)

    def _fail_groups(self, key: int, plan: FailurePlan, stopped: Sequence[ExecutorHealth]) -> None:
        """Take DP groups away, and route their requests anew, once the failure is known."""
        first = stopped[0]
        lost = [(first.executor, group) for group in plan.lost_groups]
        if plan.restart:
            for health in stopped:
                health.stop(key)
                health.restarting.add(key)
            lost = [
                (health.executor, group)
                for health in stopped
                for group in range(health.dies.groups)
            ]
        else:
            first.known_lost |= set(plan.lost_dies) & first.dies.lost_dies
        for health in stopped:
            health.update_executor()
        self.system.fail_groups(lost)

    def _return_dies(self, key: int, health: ExecutorHealth) -> Process:
        """Load the weights of repaired dies while the executor is stopped, then use the dies."""
        repaired = health.repaired_dies()
        pause_s = health.reload_s(repaired) if repaired and not health.restarting else 0.0
        if pause_s > 0:
            health.stop(key, undone=False)
            yield self.env.timeout(pause_s)
        if repaired:
            # one of them may have failed again while the weights were loaded
            health.return_dies(tuple(set(repaired) & set(health.repaired_dies())))
            health.update_executor()
        self._resume(key, health)

    def _restart_donor(self, key: int, plan: FailurePlan) -> Process:
        """Restart the executor that gave its dies, once they are back."""
        if not plan.killed:
            return
        donor = self.health[plan.killed]
        if plan.killed_resumes_s is None:
            donor.executor.dead = True
            return
        yield from self._until(plan.killed_resumes_s)
        donor.restarting.discard(key)
        donor.update_executor()
        self._resume(key, donor)

    def summary(self) -> dict[str, Any]:
        """Return what happened, as plain data: failures, downtime, lost expert choices."""
        counts = [health.choices for health in self.health.values()]
        choices, lost = (sum(count[number] for count in counts) for number in (0, 1))
        return {
            "outages": [
                {"kind": fault.kind, "executor": fault.executor, **dataclasses.asdict(plan)}
                for fault, plan in self.history
            ],
            "stood_still_s": {name: health.downtime_s() for name, health in self.health.items()},
            "lost_expert_choices": lost / choices if choices else 0.0,
        }

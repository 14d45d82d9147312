"""Faults in event time: what hangs, what is lost, and when what comes back."""

import dataclasses
from collections.abc import Generator, Sequence
from typing import Any

import simpy

from evaluation.serving.engine.system import System
from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_faults import dies_hit
from evaluation.serving.faults.failure_plan import Outage, plan
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.recovery import Recovery
from evaluation.serving.recovery.executor_health import Condition

Process = Generator[simpy.Event, Any, None]
#: Kinds that break the network alone.
NETWORK = ("link", "switch")


class Outages:
    """Plays faults on a system.

    Faults may overlap: an executor stands still until all that it stands still for is over, and a
    die is away until all that has failed on it is repaired.

    Parameters
    ----------
    env, system
        What runs.
    conditions
        Of the system's executors, in its order.
    faults
        By time or not.
    recovery
        The rules.

    Attributes
    ----------
    schedule
        The faults by time.
    history
        Outages of those that have struck, in their order.

    Raises
    ------
    ValueError
        If a fault is of something that does not exist.
    """

    def __init__(
        self,
        env: simpy.Environment,
        system: System,
        conditions: Sequence[Condition],
        faults: Sequence[Fault],
        recovery: Recovery,
    ) -> None:
        self.env, self.system, self.recovery = env, system, recovery
        self.schedule = check(faults, [one.dies for one in conditions])
        self.conditions = {one.dies.name: one for one in conditions}
        self.history: list[tuple[Fault, Outage]] = []
        for key, fault in enumerate(self.schedule):
            env.process(self._play(key, fault))

    def _play(self, key: int, fault: Fault) -> Process:
        yield self.env.timeout(fault.at_s)
        one = self.conditions[fault.executor]
        outage = plan(fault, self._as_they_are(one), self.recovery, one.broken)
        self.history.append((fault, outage))
        if fault.kind == "slow":
            yield from self._slow(fault, outage, one)
            return
        hit = dies_hit(fault, one.dies, one.broken)
        for die in hit:
            one.back_s[die] = max(one.back_s.get(die, 0.0), fault.ends_s)
        if fault.kind in NETWORK:
            one.broken.append(fault)
            self.env.process(self._mend(fault, one))
        if outage.lost_dies:
            yield from self._down(key, fault, outage, one)
        elif fault.kind in NETWORK:
            yield from self._reroute(key, fault, outage, one)
        elif outage.rolled_back:
            one.hold(key)
            yield from self._until(outage.resumed_s)
            self._release(key, one)
        if hit and outage.resumed_s is not None and fault.lasts_s is not None:
            yield from self._until(max(fault.ends_s, outage.resumed_s))
            yield from self._come_back(key, one)
        yield from self._give_back(key, outage)

    def _as_they_are(self, own: Condition) -> list[ExecutorDies]:
        """Return the executors as recovery sees them: one that is down has no dies to give."""
        found = []
        for one in self.conditions.values():
            dies = one.as_planned()
            if one is not own and (one.down or one.executor.dead):
                lost = frozenset(range(dies.dies))
                dies = dataclasses.replace(dies, lost_dies=lost, placed_on=dies.placed_on)
            found.append(dies)
        return found

    def _until(self, at_s: float | None) -> Process:
        if at_s is not None and at_s > self.env.now:
            yield self.env.timeout(at_s - self.env.now)

    def _release(self, key: int, *conditions: Condition) -> None:
        """Let executors step again, and what waited for room find it."""
        for one in conditions:
            one.release(key)
            one.executor.wake()
        self.system.retry_waiting()

    def _slow(self, fault: Fault, outage: Outage, one: Condition) -> Process:
        """Run a die at another speed, known once detected, until it is itself again."""
        one.slow.append(fault)
        one.renew()
        if outage.detected_s is not None:
            yield from self._until(outage.detected_s)
            one.known_slow.append(fault)
            one.renew()
        if fault.lasts_s is not None:
            yield from self._until(fault.ends_s)
            one.slow.remove(fault)
            if fault in one.known_slow:
                one.known_slow.remove(fault)
            one.renew()

    def _mend(self, fault: Fault, one: Condition) -> Process:
        """Have a link or switch again at its repair; routes are known at once."""
        if fault.lasts_s is None:
            return
        yield from self._until(fault.ends_s)
        one.broken = [other for other in one.broken if other is not fault]
        one.seen = [other for other in one.seen if other is not fault]
        one.renew()

    def _reroute(self, key: int, fault: Fault, outage: Outage, one: Condition) -> Process:
        """Let traffic wait for the paths that are left, from detection on, or for the repair."""
        clear_s = fault.ends_s if outage.detected_s is None else outage.detected_s
        if outage.executors:
            one.hold(key)
        self._stop_transfers(fault, one, clear_s)
        yield from self._until(clear_s)
        self._see(fault, one)
        one.renew()
        self._release(key, one)

    def _stop_transfers(self, fault: Fault, one: Condition, until_s: float) -> None:
        """Let transfers of keys and values wait that are begun by then, if they take that plane."""
        dies = one.dies
        if fault.kind in NETWORK and dies.network(fault.plane) is dies.planes.get(one.kv_plane):
            one.executor.kv_from_s = max(one.executor.kv_from_s, until_s)

    def _see(self, fault: Fault, one: Condition) -> None:
        if any(other is fault for other in one.broken):
            one.seen.append(fault)

    def _down(self, key: int, fault: Fault, outage: Outage, one: Condition) -> Process:
        """Lose dies: hang, then go on without them or start anew."""
        one.hold(key)
        if not outage.restart:
            one.lose(outage.lost_dies)
        assert outage.detected_s is not None
        self._stop_transfers(fault, one, outage.detected_s)
        yield from self._until(outage.detected_s)
        self._see(fault, one)
        stopped = [self.conditions[name] for name in outage.executors]
        self._lose(key, outage, stopped)
        if outage.resumed_s is None:
            for other in stopped:
                other.executor.dead = True
            return
        yield from self._until(outage.resumed_s)
        if outage.restart and (self.recovery.spares or outage.killed):
            one.replaced(all_dies=self.recovery.spares)
        again = [other for other in stopped if other.dies.name != outage.killed]
        for other in again:
            other.down.discard(key)
            other.renew()
        self._release(key, *again)

    def _lose(self, key: int, outage: Outage, stopped: Sequence[Condition]) -> None:
        """Take groups away and route what they held anew, once the failure is known."""
        first = stopped[0]
        lost = [(first.executor, group) for group in outage.lost_groups]
        if outage.restart:
            for one in stopped:
                one.hold(key)
                one.down.add(key)
            lost = [(one.executor, group) for one in stopped for group in range(one.dies.groups)]
        else:
            first.gone |= set(outage.lost_dies) & first.dies.lost_dies
        for one in stopped:
            one.renew()
        self.system.fail_groups(lost)

    def _come_back(self, key: int, one: Condition) -> Process:
        """Load the weights of repaired dies while the executor stands still, then use them."""
        coming = one.coming()
        pause_s = one.load_s(coming) if coming and not one.down else 0.0
        if pause_s > 0:
            one.hold(key, undone=False)
            yield self.env.timeout(pause_s)
        if coming:
            one.take_back(tuple(set(coming) & set(one.coming())))
            one.renew()
        self._release(key, one)

    def _give_back(self, key: int, outage: Outage) -> Process:
        """Start the executor anew that gave its dies, once they are back."""
        if not outage.killed:
            return
        killed = self.conditions[outage.killed]
        if outage.killed_resumes_s is None:
            killed.executor.dead = True
            return
        yield from self._until(outage.killed_resumes_s)
        killed.down.discard(key)
        killed.renew()
        self._release(key, killed)

    def figures(self) -> dict[str, Any]:
        """Return what happened, as plain data: outages, standstill, lost expert choices."""
        counted = [one.choices for one in self.conditions.values()]
        choices, lost = (sum(one[number] for one in counted) for number in (0, 1))
        return {
            "outages": [
                {"kind": fault.kind, "executor": fault.executor, **dataclasses.asdict(outage)}
                for fault, outage in self.history
            ],
            "stood_still_s": {name: one.still_s() for name, one in self.conditions.items()},
            "lost_expert_choices": lost / choices if choices else 0.0,
        }

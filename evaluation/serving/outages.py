"""Faults in event time: what hangs, what is lost, and when what comes back."""

import dataclasses
from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np
import simpy

from evaluation.serving.executor_dies import ExecutorDies
from evaluation.serving.fault_checks import check
from evaluation.serving.faults import Fault
from evaluation.serving.outage import Outage, plan
from evaluation.serving.pricing import ColocatedPrice
from evaluation.serving.recovery import Recovery
from evaluation.serving.shrink import shrunk
from evaluation.serving.surviving_price import SurvivingPrice
from evaluation.serving.system import System
from evaluation.serving.task_executor import TaskExecutor
from evaluation.serving.work import Price
from lb import Placement

#: Number of an executor, a placement over the dies left, DP groups left, to the price of its steps.
Reprice = Callable[[int, Placement, int], Price]

#: Kinds of faults that the simulation plays; links and switches are priced by
#: :func:`evaluation.serving.fabric_faults.fabric_after`, not yet in event time.
PLAYED = ("die", "node", "glitch", "slow")


class Outages:
    """Plays faults on a system.

    Parameters
    ----------
    env, system
        What runs.
    dies
        Executors as faults see them, in the order of the system's.
    faults
        By time or not.
    recovery
        The rules.
    reprice
        Makes the price of an executor that goes on with fewer dies.

    Raises
    ------
    ValueError
        If a fault is of something that does not exist, or of a kind or a mode of recovery that is
        not simulated.
    """

    def __init__(
        self,
        env: simpy.Environment,
        system: System,
        dies: Sequence[ExecutorDies],
        faults: Sequence[Fault],
        recovery: Recovery,
        reprice: Reprice,
    ) -> None:
        if recovery.mode == "missing-experts":
            raise ValueError(
                "recovery: mode = 'missing-experts' is planned but not simulated; give "
                "restart-the-world, failover or shrink"
            )
        self.env, self.system, self.dies = env, system, list(dies)
        self.recovery, self.reprice = recovery, reprice
        self._numbers = {one.name: number for number, one in enumerate(dies)}
        self.history: list[Outage] = []
        for fault in check(faults, dies):
            if fault.kind not in PLAYED:
                raise ValueError(
                    f"{fault.label}: kind = {fault.kind!r} is not simulated in event time; give "
                    f"{', '.join(PLAYED)}"
                )
            env.process(self._play(fault))

    def _play(self, fault: Fault) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(fault.at_s)
        number = self._numbers[fault.executor]
        outage = plan(fault, self.dies, self.recovery)
        self.history.append(outage)
        executor = self.system.executors[number]
        if fault.kind == "slow":
            yield from self._slow(fault, executor)
            return
        if outage.rolled_back:
            executor.halt()  # the step under way comes to nothing; no cache is lost
        if outage.lost_dies:
            executor.halt()
            yield from self._until(outage.detected_s)
            self._lose(outage)
        yield from self._until(outage.resumed_s)
        if outage.resumed_s is None:
            executor.dead = True
            return
        if outage.lost_dies and not outage.restart:
            self._shrink(number)
        self._resume(outage, executor)
        if outage.lost_dies and not outage.restart and outage.returns_s is not None:
            yield from self._until(outage.returns_s)
            self._whole_again(number)
        if outage.killed_resumes_s is not None:
            yield from self._until(outage.killed_resumes_s)
            self._named(outage.killed).up[:] = True
            self._named(outage.killed).resume()
            self.system.room()
        elif outage.killed:
            self._named(outage.killed).dead = True

    def _until(self, at_s: float | None) -> Generator[simpy.Event, Any, None]:
        if at_s is not None and at_s > self.env.now:
            yield self.env.timeout(at_s - self.env.now)

    def _named(self, name: str) -> TaskExecutor:
        return self.system.executors[self._numbers[name]]

    def _lose(self, outage: Outage) -> None:
        """Take groups away and route what they held anew, once the failure is known."""
        first = self._named(outage.executors[0])
        first.up[list(outage.lost_groups)] = False
        for name in outage.executors[1:]:
            self._named(name).halt()
        lost = [(first, group) for group in outage.lost_groups]
        if outage.restart:
            for name in outage.executors:
                one = self._named(name)
                one.up[:] = False
                lost += [(one, group) for group in range(len(one.up)) if (one, group) not in lost]
        self.system.lose(lost)

    def _resume(self, outage: Outage, executor: TaskExecutor) -> None:
        if outage.restart:
            for name in outage.executors:
                if name != outage.killed:
                    one = self._named(name)
                    one.up[:] = True
                    one.resume()
        else:
            executor.resume()
        self.system.room()

    def _shrink(self, number: int) -> None:
        """Go on with the dies of the groups that are left, every expert placed anew among them."""
        executor, before = self.system.executors[number], self.dies[number]
        whole = np.repeat(executor.up, before.dies // before.groups)
        inner = executor.whole_price or executor.price
        if not isinstance(inner, ColocatedPrice):
            raise RuntimeError(f"{before.name} shrinks, but its price knows no placement")
        gone = np.flatnonzero(~whole).tolist()
        placement = shrunk(inner.placement, inner.seen + 1, gone)
        left = int(executor.up.sum())
        executor.price = SurvivingPrice(self.reprice(number, placement, left), executor.up)
        executor.whole_price = inner
        self.dies[number] = dataclasses.replace(
            before, lost_dies=frozenset(gone), placement=None, placed_on=None
        )

    def _whole_again(self, number: int) -> None:
        """Take repaired dies back, with the placement from before."""
        executor = self.system.executors[number]
        if executor.whole_price is not None:
            executor.price, executor.whole_price = executor.whole_price, None
        executor.up[:] = True
        executor.wake()
        self.dies[number] = dataclasses.replace(
            self.dies[number], lost_dies=frozenset(), placement=None, placed_on=None
        )
        self.system.room()

    def _slow(self, fault: Fault, executor: TaskExecutor) -> Generator[simpy.Event, Any, None]:
        """Run a die at another speed, until it is itself again."""
        if isinstance(executor.price, ColocatedPrice):
            speed = executor.price.rank_speed.copy()
            speed[fault.index] *= fault.speed
            executor.price.rank_speed = speed
        if fault.lasts_s is not None:
            yield self.env.timeout(fault.lasts_s)
            if isinstance(executor.price, ColocatedPrice):
                speed = executor.price.rank_speed.copy()
                speed[fault.index] /= fault.speed
                executor.price.rank_speed = speed

"""A die straggles."""

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind


class Slow(FaultKind):
    """One die computes at a lower speed. It is only scheduled: a random fault has no speed."""

    name = "slow"
    effect = FaultEffect.SLOWS_DIES
    keys = frozenset({"speed", "detected"})
    devices_name = "dies"

    def devices(self, executor: ExecutorDies) -> int:
        """Return the dies of the executor."""
        return executor.dies

    def check(self, fault: Fault, executor: ExecutorDies) -> None:
        """Raise ValueError if there is no such die, or its speed is not a lower one."""
        if not 0 < fault.speed < 1:
            raise ValueError(f"{fault.label}: speed = {fault.speed} breaks 0 < speed < 1")
        super().check(fault, executor)

    def dies(self, fault: Fault, executor: ExecutorDies) -> tuple[int, ...]:
        """Return the die."""
        return (fault.index,)

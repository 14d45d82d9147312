"""A die fails."""

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind


class Die(FaultKind):
    """One die is lost, with the experts and the key-value cache on it."""

    name = "die"
    effect = FaultEffect.LOSES_DIES
    devices_name = "dies"
    random_stream = 0

    def devices(self, executor: ExecutorDies) -> int:
        """Return the dies of the executor."""
        return executor.dies

    def dies(self, fault: Fault, executor: ExecutorDies) -> tuple[int, ...]:
        """Return the die."""
        return (fault.index,)

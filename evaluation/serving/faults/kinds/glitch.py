"""The network of a task executor is disturbed for one step."""

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind


class Glitch(FaultKind):
    """All DP groups compute one step again (xDeepServe, arXiv:2508.02520, section 6, stage 3)."""

    name = "glitch"
    effect = FaultEffect.INTERRUPTS
    devices_name = "executors"
    random_stream = 4
    recurs = True

    def devices(self, executor: ExecutorDies) -> int:
        """Return 1: a glitch hits the executor as a whole."""
        return 1

    def check(self, fault: Fault, executor: ExecutorDies) -> None:
        """Raise ValueError if the fault has an index."""
        if fault.index:
            raise ValueError(
                f"{fault.label}: index = {fault.index}, but a glitch hits all of {executor.name}; "
                "leave the index out"
            )

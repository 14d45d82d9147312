"""A node fails."""

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind


class Node(FaultKind):
    """All dies of one node are lost at the same time."""

    name = "node"
    effect = FaultEffect.LOSES_DIES
    devices_name = "nodes"
    random_stream = 1

    def devices(self, executor: ExecutorDies) -> int:
        """Return the nodes that the executor's dies fill."""
        return executor.nodes

    def dies(self, fault: Fault, executor: ExecutorDies) -> tuple[int, ...]:
        """Return the dies of the node."""
        return executor.dies_of_node(fault.index)

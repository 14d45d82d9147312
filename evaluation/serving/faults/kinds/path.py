"""What links and switches have in common: the paths of a task executor's fabric lead over them."""

from collections.abc import Hashable
from typing import ClassVar

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.kind import FaultEffect, FaultKind
from hardware import Fabric


class PathKind(FaultKind):
    """A part of a network fails, named by its index or as the fabric calls it."""

    effect: ClassVar[FaultEffect] = FaultEffect.BREAKS_PATHS
    keys: ClassVar[frozenset[str]] = frozenset({"name", "plane"})

    def known(self, fabric: Fabric) -> tuple[object, ...]:
        """Return the parts of a fabric that can fail in this way, in the order of their index."""
        raise NotImplementedError

    def devices(self, executor: ExecutorDies) -> int:
        """Return the parts of the network of expert parallelism."""
        if executor.fabric is None:
            raise ValueError(
                f"{executor.name} has no fabric whose {self.name} could fail; give it one, or "
                f"leave {self.name} out"
            )
        return len(self.known(executor.fabric))

    def check(self, fault: Fault, executor: ExecutorDies) -> None:
        """Raise ValueError if there is no such network, or no such part of it."""
        if fault.name and fault.index:
            raise ValueError(
                f"{fault.label}: name and index = {fault.index} are both given; give one of them"
            )
        if executor.fabric is None:
            raise ValueError(
                f"{fault.label}: {executor.name} has no fabric; give it one, or leave the fault out"
            )
        fabric = executor.network(fault.plane)
        if fabric is None:
            raise ValueError(
                f"{fault.label}: plane = {fault.plane!r} is none of those between the dies of "
                f"{executor.name}; there are {', '.join(executor.planes) or 'no others'}"
            )
        self.parts(fault, fabric)

    def check_index(self, fault: Fault, fabric: Fabric) -> None:
        """Raise ValueError unless the fabric has a part of the fault's index."""
        count = len(self.known(fabric))
        if not 0 <= fault.index < count:
            raise ValueError(
                f"{fault.label}: index = {fault.index} breaks 0 <= index < {count} "
                f"{self.devices_name} of {fabric.name}"
            )


def node_called(fabric: Fabric, name: str) -> Hashable:
    """Return the node of a fabric whose text is ``name``; the text itself if there is none."""
    by_text: dict[str, Hashable] = {str(node): node for node in fabric.graph}
    return by_text.get(name, name)

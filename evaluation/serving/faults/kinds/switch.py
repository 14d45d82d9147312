"""A switch fails."""

from collections.abc import Hashable

from evaluation.serving.faults.fabric_parts import FabricParts, switches
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.path import PathKind, node_called
from hardware import Fabric
from hardware.faults import without


class Switch(PathKind):
    """One switch fails with all links at it."""

    name = "switch"
    devices_name = "switches"
    random_stream = 3

    def known(self, fabric: Fabric) -> tuple[Hashable, ...]:
        """Return the switches of a fabric."""
        return switches(fabric)

    def parts(self, fault: Fault, fabric: Fabric) -> FabricParts:
        """Return the switch, given by its index or its name."""
        if not fault.name:
            self.check_index(fault, fabric)
            return FabricParts(switches=(self.known(fabric)[fault.index],))
        node = node_called(fabric, fault.name)
        without(fabric.name, fabric.graph, (), [node], {})  # refuses a node that does not exist
        if node not in self.known(fabric):
            raise ValueError(
                f"{fault.label}: {fault.name!r} is not a switch; fail it as a die or node"
            )
        return FabricParts(switches=(node,))

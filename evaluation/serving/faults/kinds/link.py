"""A link fails."""

from evaluation.serving.faults.fabric_parts import Cable, FabricParts, cables
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds.path import PathKind, node_called
from hardware import Fabric
from hardware.faults import without


class Link(PathKind):
    """One link fails in both directions."""

    name = "link"
    devices_name = "links"
    random_stream = 2

    def known(self, fabric: Fabric) -> tuple[Cable, ...]:
        """Return the links of a fabric."""
        return cables(fabric)

    def parts(self, fault: Fault, fabric: Fabric) -> FabricParts:
        """Return the link, given by its index or as "a:b" by its ends."""
        if not fault.name:
            self.check_index(fault, fabric)
            return FabricParts(links=(self.known(fabric)[fault.index],))
        start, colon, end = fault.name.partition(":")
        if not colon:
            raise ValueError(
                f"{fault.label}: name = {fault.name!r}; a link is named by its ends, a:b"
            )
        cable = (node_called(fabric, start), node_called(fabric, end))
        without(fabric.name, fabric.graph, [cable], (), {})  # refuses a link that does not exist
        return FabricParts(links=(cable,))

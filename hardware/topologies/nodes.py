"""Servers of GPUs on NVLink, and one NIC a GPU into a network of rails."""

from typing import Any

from hardware import preset
from hardware.topologies import shared

CHECKS: dict[str, preset.Check] = {
    **shared.CHECKS,
    "nvlink_bytes_per_s": preset.positive,
    "nic_bytes_per_s": preset.positive,
    "nvlink_s": preset.not_negative,
    "nic_s": preset.not_negative,
}


def build(figures: dict[str, Any], num_ranks: int) -> tuple[Any, list[str]]:
    """Build servers whose GPUs meet in one NVSwitch, and whose NICs of like number meet in a rail.

    A rail stands for one plane of a non-blocking fat tree. Traffic to a GPU of another number is
    forwarded over NVLink on either side (PXN), as shortest paths through the graph are. The
    NVSwitch chips of a server are one node, since each GPU spreads over all of them alike.

    Returns
    -------
    graph : networkx.DiGraph
        Nodes carry ``kind``: "gpu", "nvswitch" or "rail".
    ranks : list of str
        The GPUs, server by server.
    """
    import networkx as nx

    graph = nx.DiGraph()
    width = figures["dies_per_node"]
    local = ("scale-up", figures["nvlink_bytes_per_s"], figures["nvlink_s"])
    remote = ("scale-up", figures["nic_bytes_per_s"], figures["nic_s"])
    servers = -(-num_ranks // width)
    for server in range(servers):
        switch = f"nvswitch{server}"
        graph.add_node(switch, kind="nvswitch", server=server)
        for number in range(width):
            gpu = f"gpu{server}.{number}"
            graph.add_node(gpu, kind="gpu", server=server)
            shared.connect(graph, gpu, switch, *local)
            # A single server needs no network.
            if servers > 1:
                graph.add_node(f"rail{number}", kind="rail")
                shared.connect(graph, gpu, f"rail{number}", *remote)
    return graph, [f"gpu{rank // width}.{rank % width}" for rank in range(num_ranks)]

"""CloudMatrix384: servers whose dies and CPUs meet in planes of two switch levels."""

from typing import Any

from hardware import preset
from hardware.topologies import shared

CHECKS: dict[str, preset.Check] = {
    **shared.CHECKS,
    "cpus_per_node": preset.count,
    "planes": preset.count_from_one,
    "l2_switches_per_plane": preset.count_from_one,
    "die_l1_bytes_per_s": preset.positive,
    "cpu_l1_bytes_per_s": preset.positive,
    "l1_l2_bytes_per_s": preset.positive,
    "die_die_bytes_per_s": preset.positive,
    "rdma_bytes_per_s": preset.positive,
    "vpc_bytes_per_s": preset.positive,
    "die_l1_s": preset.not_negative,
    "cpu_l1_s": preset.not_negative,
    "l1_l2_s": preset.not_negative,
    "die_die_s": preset.not_negative,
    "rdma_s": preset.not_negative,
    "vpc_s": preset.not_negative,
}


def build(figures: dict[str, Any], num_ranks: int) -> tuple[Any, list[str]]:
    """Build the servers that hold a rank, with all L2 switches, and the RDMA and VPC networks.

    UB: every sub-plane has one L1 switch in each server and ``l2_switches_per_plane`` L2 switches
    above; L1 switch p of every server belongs to sub-plane p. Two dies share a package. RDMA
    (scale-out) joins dies, VPC joins CPUs, each through one switch that stands for its whole
    network, an assumption.

    Returns
    -------
    graph : networkx.DiGraph
        Nodes carry ``kind``: "die", "cpu", "l1", "l2", "rdma" or "vpc".
    ranks : list of str
        The dies, one rank each, server by server.
    """
    import networkx as nx

    graph = nx.DiGraph()
    dies = figures["dies_per_node"]
    graph.add_node("rdma", kind="rdma")
    graph.add_node("vpc", kind="vpc")
    for server in range(-(-num_ranks // dies)):
        _add_server(graph, figures, server)
    return graph, [f"die{rank // dies}.{rank % dies}" for rank in range(num_ranks)]


def _add_server(graph: Any, figures: dict[str, Any], server: int) -> None:
    def link(name: str) -> tuple[str, float, float]:
        return "ub", figures[f"{name}_bytes_per_s"], figures[f"{name}_s"]

    dies = [f"die{server}.{number}" for number in range(figures["dies_per_node"])]
    cpus = [f"cpu{server}.{number}" for number in range(figures["cpus_per_node"])]
    graph.add_nodes_from(dies, kind="die", server=server)
    graph.add_nodes_from(cpus, kind="cpu", server=server)
    # Dies 0 and 1 share a package, dies 2 and 3 the next.
    for one, other in zip(dies[::2], dies[1::2], strict=False):
        shared.connect(graph, one, other, *link("die_die"))
    for plane in range(figures["planes"]):
        switch = f"l1.{server}.{plane}"
        graph.add_node(switch, kind="l1", server=server)
        for die in dies:
            shared.connect(graph, die, switch, *link("die_l1"))
        for cpu in cpus:
            shared.connect(graph, cpu, switch, *link("cpu_l1"))
        for upper in range(figures["l2_switches_per_plane"]):
            graph.add_node(f"l2.{plane}.{upper}", kind="l2")
            shared.connect(graph, switch, f"l2.{plane}.{upper}", *link("l1_l2"))
    for die in dies:
        shared.connect(graph, die, "rdma", "rdma", figures["rdma_bytes_per_s"], figures["rdma_s"])
    for cpu in cpus:  # a server's VPC card serves all its CPUs
        rate = figures["vpc_bytes_per_s"] / len(cpus)
        shared.connect(graph, cpu, "vpc", "vpc", rate, figures["vpc_s"])

"""How a preset's counts and figures become a graph."""

from typing import Any

from hardware import preset

CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "nodes": preset.count_from_one,
    "dies_per_node": preset.count_from_one,
    "cpus_per_node": preset.count,
    "planes": preset.count_from_one,
    "l2_switches_per_plane": preset.count_from_one,
    "die_l1_bytes_per_s": preset.positive,
    "cpu_l1_bytes_per_s": preset.positive,
    "l1_l2_bytes_per_s": preset.positive,
    "die_die_bytes_per_s": preset.positive,
    "die_l1_s": preset.not_negative,
    "cpu_l1_s": preset.not_negative,
    "l1_l2_s": preset.not_negative,
    "die_die_s": preset.not_negative,
    "read_efficiency": preset.fraction,
    "write_efficiency": preset.fraction,
    "collective_setup_s": preset.not_negative,
    "dispatch_within_bytes_per_s": preset.positive,
    "dispatch_between_bytes_per_s": preset.positive,
    "combine_within_bytes_per_s": preset.positive,
    "combine_between_bytes_per_s": preset.positive,
}


def two_level_planes(figures: dict[str, Any], num_ranks: int) -> tuple[Any, list[str]]:
    """Build servers whose dies and CPUs meet in independent planes of two switch levels.

    Every plane has one L1 switch in each server and ``l2_switches_per_plane`` L2 switches above;
    L1 switch p of every server belongs to plane p. Two dies share a package. Only the servers
    that hold a rank are built, with all L2 switches.

    Returns
    -------
    graph : networkx.DiGraph
        Nodes carry ``kind``: "die", "cpu", "l1" or "l2".
    ranks : list of str
        The dies, one rank each, server by server.
    """
    import networkx as nx

    graph = nx.DiGraph()
    dies = figures["dies_per_node"]
    used_nodes = -(-num_ranks // dies)
    to_die = {"bandwidth": figures["die_l1_bytes_per_s"], "latency": figures["die_l1_s"]}
    to_cpu = {"bandwidth": figures["cpu_l1_bytes_per_s"], "latency": figures["cpu_l1_s"]}
    upward = {"bandwidth": figures["l1_l2_bytes_per_s"], "latency": figures["l1_l2_s"]}
    sibling = {"bandwidth": figures["die_die_bytes_per_s"], "latency": figures["die_die_s"]}

    def connect(one: str, other: str, link: dict[str, float]) -> None:
        graph.add_edge(one, other, **link)
        graph.add_edge(other, one, **link)

    for node in range(used_nodes):
        graph.add_nodes_from((f"die{node}.{die}" for die in range(dies)), kind="die")
        graph.add_nodes_from(
            (f"cpu{node}.{n}" for n in range(figures["cpus_per_node"])), kind="cpu"
        )
        for die in range(0, dies - 1, 2):
            connect(f"die{node}.{die}", f"die{node}.{die + 1}", sibling)
        for plane in range(figures["planes"]):
            switch = f"l1.{node}.{plane}"
            graph.add_node(switch, kind="l1")
            for die in range(dies):
                connect(f"die{node}.{die}", switch, to_die)
            for cpu in range(figures["cpus_per_node"]):
                connect(f"cpu{node}.{cpu}", switch, to_cpu)
            for upper in range(figures["l2_switches_per_plane"]):
                graph.add_node(f"l2.{plane}.{upper}", kind="l2")
                connect(switch, f"l2.{plane}.{upper}", upward)
    ranks = [f"die{rank // dies}.{rank % dies}" for rank in range(num_ranks)]
    return graph, ranks

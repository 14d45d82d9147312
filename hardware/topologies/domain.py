"""One NVLink domain: every GPU has a link into every switch chip."""

from typing import Any

from hardware import preset
from hardware.topologies import shared

CHECKS: dict[str, preset.Check] = {
    **shared.CHECKS,
    "switches": preset.count_from_one,
    "link_bytes_per_s": preset.positive,
    "link_s": preset.not_negative,
}


def build(figures: dict[str, Any], num_ranks: int) -> tuple[Any, list[str]]:
    """Build GPUs and switch chips, one link between each pair.

    Returns
    -------
    graph : networkx.DiGraph
        Nodes carry ``kind``: "gpu" or "nvswitch".
    ranks : list of str
        The GPUs.
    """
    import networkx as nx

    graph = nx.DiGraph()
    ranks = [f"gpu{number}" for number in range(num_ranks)]
    graph.add_nodes_from(ranks, kind="gpu")
    for chip in range(figures["switches"]):
        graph.add_node(f"nvswitch{chip}", kind="nvswitch")
        for gpu in ranks:
            link = ("scale-up", figures["link_bytes_per_s"], figures["link_s"])
            shared.connect(graph, gpu, f"nvswitch{chip}", *link)
    return graph, ranks

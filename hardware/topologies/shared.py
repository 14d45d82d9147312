"""Keys and links that all kinds of fabric share."""

from typing import Any

from hardware import preset

CHECKS: dict[str, preset.Check] = {
    "name": preset.text,
    "source": preset.text,
    "topology": preset.text,
    "default_plane": preset.text,
    "nodes": preset.count_from_one,
    "dies_per_node": preset.count_from_one,
    "read_efficiency": preset.fraction,
    "write_efficiency": preset.fraction,
}


def connect(graph: Any, one: str, other: str, plane: str, rate: float, seconds: float) -> None:
    """Join two nodes by a cable: a link each way."""
    for source, target in ((one, other), (other, one)):
        graph.add_edge(source, target, bandwidth=rate, latency=seconds, plane=plane)

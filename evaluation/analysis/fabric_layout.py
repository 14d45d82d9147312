"""Where the nodes of a fabric stand in its picture, and how busy its links are."""

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware import Fabric

#: Levels from the bottom up, by kind of node.
LEVELS = {
    "cpu": 0,
    "die": 1,
    "gpu": 1,
    "l1": 2,
    "nvswitch": 2,
    "l2": 3,
    "rail": 3,
    "rdma": 3,
    "vpc": 3,
}
#: Fabrics with more links than this show nodes of one kind in one server, or plane, as one.
MOST_LINKS = 2000


@dataclass(frozen=True)
class FabricNode:
    """A node, or a group of nodes of one kind.

    Parameters
    ----------
    name
        Name of the node, or kind and server (or plane) of the group.
    kind
        "die", "l1" …
    size
        Number of nodes in it.
    x, y
        Place: ``x`` between 0 and 1, ``y`` the level from the bottom, from 0.
    """

    name: str
    kind: str
    size: int
    x: float
    y: int


@dataclass(frozen=True)
class FabricBundle:
    """All links between two nodes of the picture, in both directions.

    Parameters
    ----------
    ends
        Positions of the two in :attr:`FabricLayout.nodes`.
    links
        Number of links.
    load
        Fraction of the time that the busiest of them is busy.
    """

    ends: tuple[int, int]
    links: int
    load: float


@dataclass(frozen=True)
class FabricLayout:
    """Nodes in levels, and the bundles of links between them."""

    nodes: tuple[FabricNode, ...]
    bundles: tuple[FabricBundle, ...]


def lay_out(fabric: Fabric, utilisation: NDArray[np.float64]) -> FabricLayout:
    """Place the nodes of a fabric and bundle its links.

    Parameters
    ----------
    fabric
        The fabric. With more than :data:`MOST_LINKS` links, its nodes are grouped.
    utilisation
        [links] fraction of the time that each link is busy.
    """
    names = _names(fabric)
    kinds: dict[str, str] = {}
    sizes: dict[str, int] = defaultdict(int)
    for node, name in names.items():
        kinds[name] = _kind(fabric, node)
        sizes[name] += 1
    places = _places(kinds)
    nodes = tuple(FabricNode(name, kinds[name], sizes[name], *places[name]) for name in kinds)
    return FabricLayout(nodes, _bundles(fabric, utilisation, names, list(kinds)))


def _names(fabric: Fabric) -> dict[Hashable, str]:
    """Return the name under which each node is shown: its own, or that of its group."""
    if len(fabric.links) <= MOST_LINKS:
        return {node: str(node) for node in fabric.graph}
    names: dict[Hashable, str] = {}
    for node, attributes in fabric.graph.nodes(data=True):
        kind = _kind(fabric, node)
        if "server" in attributes:
            names[node] = f"{kind} of server {attributes['server']}"
        elif "." in str(node):
            names[node] = f"{kind} of plane {str(node).split('.')[1]}"
        else:
            names[node] = str(node)
    return names


def _kind(fabric: Fabric, node: Hashable) -> str:
    return str(fabric.graph.nodes[node].get("kind", "node"))


def _places(kinds: dict[str, str]) -> dict[str, tuple[float, int]]:
    """Return (x, level) of each shown node; nodes of a level stand in order, evenly apart."""
    levels: dict[int, list[str]] = defaultdict(list)
    for name, kind in kinds.items():
        levels[LEVELS.get(kind, 1)].append(name)
    return {
        name: ((column + 0.5) / len(levels[level]), row)
        for row, level in enumerate(sorted(levels))
        for column, name in enumerate(levels[level])
    }


def _bundles(
    fabric: Fabric,
    utilisation: NDArray[np.float64],
    names: dict[Hashable, str],
    order: list[str],
) -> tuple[FabricBundle, ...]:
    """Return the links as bundles; links inside a group are left out."""
    position = {name: number for number, name in enumerate(order)}
    loads: dict[tuple[int, int], list[float]] = defaultdict(list)
    for (source, target), load in zip(fabric.links, utilisation.tolist(), strict=True):
        low, high = sorted((position[names[source]], position[names[target]]))
        if low != high:
            loads[low, high].append(load)
    return tuple(FabricBundle(ends, len(each), max(each)) for ends, each in loads.items())

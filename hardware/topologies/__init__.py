"""Kinds of fabric: each turns the figures of a preset into a graph. One file and one line each.

A kind has ``CHECKS``, the keys of its presets, and ``build(figures, num_ranks)``, which returns a
``networkx.DiGraph`` and its ranks in order. Nodes carry ``kind``; edges carry ``bandwidth``
(bytes/s), ``latency`` (s) and ``plane``, the network they belong to.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hardware.preset import Check
from hardware.topologies import domain, nodes, planes

Build = Callable[[dict[str, Any], int], tuple[Any, list[str]]]


class Topology(NamedTuple):
    """A kind of fabric."""

    checks: dict[str, Check]
    build: Build


TOPOLOGIES: dict[str, Topology] = {
    "two-level-planes": Topology(planes.CHECKS, planes.build),
    "nvlink-nodes": Topology(nodes.CHECKS, nodes.build),
    "switch-domain": Topology(domain.CHECKS, domain.build),
}

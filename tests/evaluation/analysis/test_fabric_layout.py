"""Nodes of a fabric are in levels, and parallel links are one bundle."""

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from evaluation.analysis import fabric_layout
from evaluation.analysis.fabric_layout import lay_out
from hardware import Fabric


@pytest.fixture(scope="module")
def server():
    """Eight GPUs of an H100 server on one switch, with links each way."""
    return Fabric.preset("h100", 8)


def test_levels_are_from_the_bottom_up(server):
    """GPUs are below their switch, at equal distances."""
    nodes = lay_out(server, np.zeros(len(server.links))).nodes
    places = {node.kind: node.y for node in nodes}
    assert places["gpu"] == 0
    assert places["nvswitch"] == 1
    across = sorted(node.x for node in nodes if node.kind == "gpu")
    assert across == pytest.approx((np.arange(8) + 0.5) / 8)


def test_a_bundle_has_the_load_of_its_busiest_link(server):
    """Links of both directions are one bundle; every link is in one."""
    utilisation = np.zeros(len(server.links))
    utilisation[3] = 0.75
    layout = lay_out(server, utilisation)
    assert sum(bundle.links for bundle in layout.bundles) == len(server.links)
    loads = {
        frozenset(layout.nodes[end].name for end in bundle.ends): bundle.load
        for bundle in layout.bundles
    }
    busy = frozenset(map(str, server.links[3]))
    assert loads.pop(busy) == 0.75
    assert set(loads.values()) == {0.0}


def test_many_links_are_grouped_by_server_and_plane():
    """Above a limit, nodes of one kind in one server or plane are one."""
    fabric = Fabric.preset("cloudmatrix384", 64)
    assert len(fabric.links) > fabric_layout.MOST_LINKS
    layout = lay_out(fabric, np.zeros(len(fabric.links)))
    kinds = Counter(node.kind for node in layout.nodes)
    # 64 dies are 4 servers of 16; level 2 has 7 planes
    assert kinds == {"die": 4, "cpu": 4, "l1": 4, "l2": 7}
    assert sum(node.size for node in layout.nodes) == len(fabric.graph)
    names = {node.name for node in layout.nodes}
    assert {"die of server 0", "l2 of plane 6"} <= names
    assert all(first != second for first, second in (bundle.ends for bundle in layout.bundles))


def test_a_node_without_kind_is_drawn():
    """A fabric of one's own may leave kinds out."""
    graph = nx.DiGraph()
    for ends in (("a", "b"), ("b", "a")):
        graph.add_edge(*ends, bandwidth=1e9, latency=1e-6)
    fabric = Fabric("own", graph, ["a", "b"], {})
    assert [node.kind for node in lay_out(fabric, np.ones(2)).nodes] == ["node", "node"]

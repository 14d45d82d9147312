"""Routing by symmetry gives what routing every link by itself gives."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware import Fabric
from hardware.symmetry import find_symmetry


def link_by_link(graph, ranks, bytes_sent):
    """Follow every flow over every link: bytes by link."""
    crossed = dict.fromkeys(graph.edges, 0.0)

    def follow(node, target, amount, hops):
        onward = [after for after in graph.successors(node) if hops.get(after) == hops[node] - 1]
        for after in onward:
            crossed[node, after] += amount / len(onward)
            follow(after, target, amount / len(onward), hops)

    for destination, target in enumerate(ranks):
        hops = nx.single_source_shortest_path_length(graph.reverse(), target)
        for source, start in enumerate(ranks):
            if source != destination:
                follow(start, target, bytes_sent[source, destination], hops)
    return crossed


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_graph_is_routed_as_link_by_link(seed):
    """Random graphs, regular and not, with links of several speeds."""
    generator = np.random.default_rng(seed)
    nodes = int(generator.integers(3, 11))
    graph = nx.DiGraph()
    nx.add_cycle(graph, range(nodes))  # every rank reaches every other one
    for _ in range(int(generator.integers(0, 3 * nodes))):
        one, other = generator.choice(nodes, 2, replace=False)
        graph.add_edge(int(one), int(other))
    for link in graph.edges:
        graph.edges[link].update(bandwidth=float(generator.integers(1, 3)), latency=1.0)
    ranks = [int(node) for node in generator.choice(nodes, min(nodes, 4), replace=False)]
    fabric = Fabric.from_graph(graph, ranks)
    sent = generator.random((len(ranks), len(ranks)))
    expected = link_by_link(graph, ranks, sent)
    np.testing.assert_allclose(
        fabric.link_bytes(sent), [expected[link] for link in fabric.links], atol=1e-12
    )


def test_cloudmatrix_slice_is_routed_as_link_by_link():
    """The preset's planes and switches fold without a byte of difference."""
    fabric = Fabric.preset("cloudmatrix384", 18)
    sent = np.random.default_rng(0).random((18, 18))
    expected = link_by_link(fabric.graph, fabric.ranks, sent)
    np.testing.assert_allclose(
        fabric.link_bytes(sent), [expected[link] for link in fabric.links], atol=1e-12
    )


def test_planes_and_upper_switches_fold():
    """Seven planes of sixteen switches are one class of each; every rank is its own."""
    fabric = Fabric.preset("cloudmatrix384")
    symmetry = find_symmetry(fabric.graph, fabric.ranks)
    assert sorted(set(symmetry.class_size.tolist())) == [1, 4, 7, 112]
    assert len(set(symmetry.rank_class.tolist())) == 768
    assert len(symmetry.tail) < fabric.graph.number_of_edges() / 9


def test_the_whole_machine_exchanges_evenly():
    """768 dies: an even all-to-all is bound by the links of a die."""
    fabric = Fabric.preset("cloudmatrix384")
    each = np.full((768, 768), 1e5)
    np.fill_diagonal(each, 0)
    over_planes = 766 * 1e5 / (7 * 28e9 * 0.84)  # all but the sibling in the package
    latency = fabric.latency.max()
    assert fabric.all_to_all(each) == pytest.approx(over_planes + latency)

"""Traffic on tiny graphs worked by hand, and laws that hold on every graph."""

import itertools
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hardware import Fabric

SLICE = Fabric.preset("cloudmatrix384", num_ranks=32)


def _graph(*links: tuple[str, str, float, float]) -> Any:
    """Links in both directions: (one, other, bandwidth, latency)."""
    graph = nx.DiGraph()
    for one, other, bandwidth, latency in links:
        graph.add_edge(one, other, bandwidth=bandwidth, latency=latency)
        graph.add_edge(other, one, bandwidth=bandwidth, latency=latency)
    return graph


WIRE = Fabric.from_graph(_graph(("a", "b", 4.0, 0.5)), ["a", "b"])
STAR = Fabric.from_graph(_graph(*[(leaf, "hub", 2.0, 0.25) for leaf in "abc"]), list("abc"))
PLANES = Fabric.from_graph(
    _graph(*[(rank, plane, 1.0, 0.1) for rank in "ab" for plane in "pq"]), ["a", "b"]
)

traffic = arrays.arrays(np.float64, (3, 3), elements=st.floats(0, 1e6, allow_subnormal=False))


def test_a_wire_takes_bytes_over_bandwidth_and_its_latency() -> None:
    """8 bytes at 4 bytes/s and half a second; the other direction runs at the same time."""
    assert WIRE.all_to_all([[0, 8], [4, 0]]) == 2.5


def test_a_star_is_limited_by_the_leaf_that_receives_from_all() -> None:
    """Two leaves send 4 bytes each to the third, whose link carries 8 at 2 bytes/s."""
    assert STAR.all_to_all([[0, 0, 4], [0, 0, 4], [0, 0, 0]]) == 4.5


def test_two_equal_planes_share_a_flow() -> None:
    """Each plane carries half, so the pair runs at twice a link's rate."""
    assert PLANES.all_to_all([[0, 8], [0, 0]]) == pytest.approx(4.2)
    crossed = dict(zip(PLANES.links, PLANES.link_bytes([[0, 8], [0, 0]]), strict=True))
    assert crossed["a", "p"] == crossed["a", "q"] == crossed["p", "b"] == crossed["q", "b"] == 4
    assert crossed["b", "p"] == crossed["p", "a"] == 0


def test_no_traffic_and_local_traffic_are_free() -> None:
    """Bytes a rank keeps to itself cross no link."""
    assert WIRE.all_to_all([[0, 0], [0, 0]]) == 0
    assert WIRE.all_to_all([[9, 0], [0, 9]]) == 0


@pytest.mark.parametrize("fabric", [STAR, SLICE], ids=["star", "cloudmatrix384"])
def test_bytes_are_conserved_at_every_node(fabric: Fabric) -> None:
    """A switch passes on what it gets; a rank's surplus is what it received less what it sent."""
    sent = np.random.default_rng(0).random((fabric.num_ranks, fabric.num_ranks))
    np.fill_diagonal(sent, 0)
    surplus = dict.fromkeys(fabric.graph, 0.0)
    for (tail, head), crossed in zip(fabric.links, fabric.link_bytes(sent), strict=True):
        surplus[tail] -= crossed
        surplus[head] += crossed
    wanted = dict.fromkeys(fabric.graph, 0.0)
    wanted |= dict(zip(fabric.ranks, sent.sum(axis=0) - sent.sum(axis=1), strict=True))
    assert surplus == pytest.approx(wanted, abs=1e-9)


def test_uniform_traffic_loads_equal_links_equally() -> None:
    """On the slice every link of one kind and direction carries the same bytes."""
    kind = SLICE.graph.nodes(data="kind")
    loads: dict[tuple[str, str], set[float]] = {}
    for (tail, head), crossed in zip(SLICE.links, SLICE.link_bytes(np.ones((32, 32))), strict=True):
        loads.setdefault((kind[tail], kind[head]), set()).add(round(float(crossed), 9))
    assert {len(values) for values in loads.values()} == {1}


@given(traffic, traffic)
def test_more_bytes_are_never_faster(first: Any, more: Any) -> None:
    """Adding traffic can only delay the last byte."""
    assert STAR.all_to_all(first + more) >= STAR.all_to_all(first)


def test_leading_axes_are_priced_one_by_one() -> None:
    """A stack of matrices gives the stack of times."""
    stack = np.random.default_rng(1).random((2, 3, 32, 32)) * 1e6
    seconds = SLICE.all_to_all(stack)
    assert seconds.shape == (2, 3)
    for index in itertools.product(range(2), range(3)):
        assert seconds[index] == pytest.approx(SLICE.all_to_all(stack[index]))


@pytest.mark.parametrize("inbound", [True, False])
def test_even_exchange_equals_the_matrix_it_stands_for(inbound: bool) -> None:
    """The fast path is exact, also where some ranks have no bytes."""
    rank_bytes = np.random.default_rng(2).random((5, 32)) * 1e6
    rank_bytes[1, 3:] = 0
    rank_bytes[2] = 0
    matrix = np.repeat(np.expand_dims(rank_bytes, -2 if inbound else -1), 32, -2 if inbound else -1)
    wanted = SLICE.all_to_all(matrix / 32)
    assert SLICE.even_exchange(rank_bytes, inbound=inbound) == pytest.approx(wanted)


def test_a_pair_of_servers_reads_at_the_published_rate() -> None:
    """Seven planes give 196 GB/s nominal, 164 measured (arXiv:2506.12708v2, Table 1)."""
    distance = SLICE.rank_distance()
    assert 1 / distance[0, 16] == pytest.approx(164e9, rel=0.01)
    assert 1 / distance[0, 2] == pytest.approx(1 / distance[0, 16])
    assert distance[0, 1] < distance[0, 2]
    assert (np.diag(distance) == 0).all()


def test_content_hash_follows_links_and_ranks() -> None:
    """Equal fabrics agree; another bandwidth or order of ranks does not."""
    same = Fabric.from_graph(_graph(("a", "b", 4.0, 0.5)), ["a", "b"])
    faster = Fabric.from_graph(_graph(("a", "b", 5.0, 0.5)), ["a", "b"])
    turned = Fabric.from_graph(_graph(("a", "b", 4.0, 0.5)), ["b", "a"])
    assert same.content_hash == WIRE.content_hash
    assert len({WIRE.content_hash, faster.content_hash, turned.content_hash}) == 3


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (np.zeros((3, 2)), r"shape \(3, 2\)"),
        ([[0, -1], [0, 0]], r"must be finite and >= 0"),
        ([[0, np.nan], [0, 0]], r"is nan; it must be finite"),
        ([[0, np.inf], [0, 0]], r"is inf; it must be finite"),
    ],
)
def test_bad_traffic_is_refused(sent: Any, message: str) -> None:
    """Shape, sign and finiteness are checked before anything is priced."""
    with pytest.raises(ValueError, match=message):
        WIRE.all_to_all(sent)


def test_a_graph_without_figures_or_ranks_is_refused() -> None:
    """Messages name the link or the rank."""
    bare = nx.DiGraph([("a", "b")])
    with pytest.raises(ValueError, match="link a -> b has bandwidth None"):
        Fabric.from_graph(bare, ["a", "b"])
    with pytest.raises(ValueError, match=r"missing: \['z'\]"):
        Fabric.from_graph(_graph(("a", "b", 1.0, 0.0)), ["a", "z"])


def test_an_unreachable_pair_is_named_when_routes_are_needed() -> None:
    """A one-way link leaves no way back."""
    graph = nx.DiGraph()
    graph.add_edge("a", "b", bandwidth=1.0, latency=0.0)
    with pytest.raises(ValueError, match="no path from b to a"):
        Fabric.from_graph(graph, ["a", "b"]).all_to_all([[0, 1], [0, 0]])


@pytest.mark.parametrize("num_ranks", [0, 769])
def test_more_ranks_than_dies_name_the_limit(num_ranks: int) -> None:
    """The limit is the machine's."""
    with pytest.raises(ValueError, match=f"num_ranks = {num_ranks} is outside 1 .* 768 dies"):
        Fabric.preset("cloudmatrix384", num_ranks)

"""Failures re-route; noise is seeded and never makes work cheaper on average."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware import Fabric
from hardware.faults import Jitter

FABRIC = Fabric.preset("cloudmatrix384", 32)
EVEN = np.full((32, 32), 1e6)


def test_a_failed_switch_moves_its_traffic_to_the_other_planes() -> None:
    """Six of seven planes carry what seven carried."""
    broken = FABRIC.without(nodes=["l1.0.0"])
    assert broken.all_to_all(EVEN) == pytest.approx(FABRIC.all_to_all(EVEN) * 7 / 6, rel=0.01)
    assert FABRIC.num_ranks == broken.num_ranks == 32


def test_a_degraded_link_slows_what_hashes_onto_it() -> None:
    """Equal-cost multipath goes on splitting evenly: half the bandwidth is twice the time."""
    half = FABRIC.without(degraded={("die0.0", "l1.0.3"): 0.5})
    assert half.all_to_all(EVEN) == pytest.approx(2 * FABRIC.all_to_all(EVEN), rel=0.02)
    (link, _, share), *_ = half.bottlenecks(EVEN)
    assert set(link) == {"die0.0", "l1.0.3"}
    assert share == 1


def test_a_cut_network_names_the_pair() -> None:
    """Both ways out of a GPU gone, its first partner is named with it."""
    h100 = Fabric.preset("h100", 16)
    with pytest.raises(ValueError, match=r"no path from gpu\S+ to gpu0\.0"):
        h100.without([("gpu0.0", "nvswitch0"), ("gpu0.0", "rail0")])
    one_way = h100.without([("gpu0.0", "rail0")])
    assert one_way.all_to_all(np.full((16, 16), 1e6)) > h100.all_to_all(np.full((16, 16), 1e6))


def test_a_failed_rank_is_dropped_when_asked() -> None:
    """Else its loss is an error that says how to go on."""
    with pytest.raises(ValueError, match=r"die0\.3 failed.*drop_ranks=True"):
        FABRIC.without(nodes=["die0.3"])
    assert FABRIC.without(nodes=["die0.3"], drop_ranks=True).num_ranks == 31


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FABRIC.without(nodes=["l1.0.9"]), r"no node 'l1.0.9'; did you mean 'l"),
        (lambda: FABRIC.without([("die0.0", "l1.1.0")]), "no link between 'die0.0' and 'l1.1.0'"),
        (lambda: FABRIC.without(degraded={("die0.0", "l1.0.0"): 0.0}), "0 < fraction <= 1"),
        (lambda: Jitter(sigma=-1), "sigma = -1 >= 0"),
        (lambda: Jitter(stall_probability=2), "stall_probability = 2 <= 1"),
        (lambda: Jitter(rank_speed=(1.0, 0.0)), "every speed must be > 0"),
        (
            lambda: Jitter(rank_speed=(1.0, 2.0)).apply(np.ones((1, 3)), np.random.default_rng()),
            "2 entries for 3 ranks",
        ),
    ],
)
def test_impossible_faults_are_refused(call, message) -> None:
    """The value and the rule it breaks are named."""
    with pytest.raises(ValueError, match=message):
        call()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_bytes_are_conserved_at_every_switch(seed: int, broken: bool) -> None:
    """What enters a node and is not for it leaves it, failures or not."""
    generator = np.random.default_rng(seed)
    fabric = FABRIC
    if broken:
        switches = [f"l1.0.{n}" for n in generator.permutation(7)[:3]]
        fabric = FABRIC.without([("die1.0", "l1.1.2")], switches)
    sent = generator.lognormal(size=(32, 32))
    np.fill_diagonal(sent, 0)
    balance = dict.fromkeys(fabric.graph, 0.0)
    for (source, target), carried in zip(fabric.links, fabric.link_bytes(sent), strict=True):
        balance[source] -= carried
        balance[target] += carried
    for rank, node in enumerate(fabric.ranks):
        balance[node] -= sent[:, rank].sum() - sent[rank].sum()
    np.testing.assert_allclose(list(balance.values()), 0, atol=1e-9 * sent.sum())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_transfer_beats_max_flow(seed: int) -> None:
    """Routing over fewest hops never carries more than the maximum flow of the graph."""
    generator = np.random.default_rng(seed)
    graph = nx.gnp_random_graph(8, 0.5, seed=seed, directed=False).to_directed()
    nx.add_cycle(graph, range(8))
    nx.add_cycle(graph, reversed(range(8)))
    for _, _, link in graph.edges(data=True):
        link |= {"bandwidth": float(generator.integers(1, 9)), "latency": 0.0}
    fabric = Fabric.from_graph(graph, range(8))
    one, other = generator.permutation(8)[:2].tolist()
    sent = np.zeros((8, 8))
    sent[one, other] = 1.0
    most = nx.maximum_flow_value(graph, one, other, capacity="bandwidth")
    assert fabric.all_to_all(sent) >= 1 / most - 1e-12


def test_disjoint_equal_paths_reach_max_flow() -> None:
    """Two dies in one server: seven planes of 28 GB/s, and nothing else, when not siblings."""
    graph = FABRIC.graph
    flow = nx.maximum_flow_value(graph, "die0.0", "die0.2", capacity="bandwidth")
    own = sum(graph.edges["die0.0", f"l1.0.{plane}"]["bandwidth"] for plane in range(7))
    assert own == 196e9 < flow  # the sibling's ports come on top, which shortest paths leave alone
    sent = np.zeros((32, 32))
    sent[0, 2] = 1e9
    busy = FABRIC.all_to_all(sent) - FABRIC.latency[0, 2]
    assert busy == pytest.approx(1e9 / (own * FABRIC.figures["read_efficiency"]))


def test_noise_is_seeded_and_keeps_the_mean() -> None:
    """The same seed and step give the same times, another step gives others; the mean stays 1."""
    jitter = Jitter(sigma=0.3, stall_probability=0.01, stall_s=0.0, seed=7)
    ones = np.ones((500, 200))
    first, again = (jitter.apply(ones, jitter.generator(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (jitter.apply(ones, jitter.generator(4)) != first).any()
    assert first.mean() == pytest.approx(1, abs=0.01)


def test_a_slow_rank_takes_longer_and_stalls_add() -> None:
    """Half the speed is twice the time; a certain stall adds its length."""
    generator = np.random.default_rng(0)
    slow = Jitter(rank_speed=(1.0, 0.5)).apply(np.ones((1, 2)), generator)
    np.testing.assert_array_equal(slow, [[1, 2]])
    stalled = Jitter(stall_probability=1.0, stall_s=0.1).apply(np.ones((1, 2)), generator)
    np.testing.assert_allclose(stalled, 1.1)

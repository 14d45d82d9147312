"""CloudMatrix384 unfolds to the published counts."""

from collections import Counter

import numpy as np
import pytest

from hardware import Fabric


def test_the_whole_machine_has_the_published_nodes_and_links() -> None:
    """768 dies, 192 CPUs, 336 L1 and 112 L2 chips (arXiv:2506.12708v2); links both ways."""
    graph = Fabric.preset("cloudmatrix384").graph
    kinds = Counter(kind for _, kind in graph.nodes(data="kind"))
    assert kinds == {"die": 768, "cpu": 192, "l1": 336, "l2": 112}
    assert graph.number_of_edges() == 2 * (768 * 7 + 192 * 7 + 336 * 16 + 384)


def test_a_slice_builds_only_the_servers_in_use_and_all_l2_chips() -> None:
    """17 ranks need two servers."""
    fabric = Fabric.preset("cloudmatrix384", num_ranks=17)
    kinds = Counter(kind for _, kind in fabric.graph.nodes(data="kind"))
    assert fabric.num_ranks == 17
    assert kinds == {"die": 32, "cpu": 8, "l1": 14, "l2": 112}
    assert fabric.ranks_per_node is None
    assert Fabric.preset("cloudmatrix384", num_ranks=32).ranks_per_node == 16


def test_l1_uplinks_carry_what_their_dies_can_send() -> None:
    """16 dies of 28 GB/s meet 16 uplinks of 28 GB/s: no convergence."""
    graph = Fabric.preset("cloudmatrix384", num_ranks=32).graph
    up = sum(d["bandwidth"] for _, to, d in graph.out_edges("l1.0.0", data=True) if to[:2] == "l2")
    down = sum(d["bandwidth"] for at, _, d in graph.in_edges("l1.0.0", data=True) if at[0] == "d")
    assert up == down == 448e9


def test_rdma_and_vpc_are_networks_of_their_own() -> None:
    """200 Gb/s a die over RoCE; an unknown plane names those there are."""
    rdma = Fabric.preset("cloudmatrix384", 32, "rdma")
    assert rdma.port_bytes_per_s == 25e9
    assert {data["plane"] for _, _, data in rdma.graph.edges(data=True)} == {"rdma"}
    with pytest.raises(ValueError, match="plane = 'wifi' is not one of rdma, ub, vpc"):
        Fabric.preset("cloudmatrix384", 32, "wifi")


def test_gpus_of_other_rails_are_reached_over_nvlink() -> None:
    """A NIC sends at 47 of 50 GB/s to its own rail; half of the rest arrives on another NIC."""
    h100 = Fabric.preset("h100", 16)
    sent = np.zeros((16, 16))
    sent[0, 8] = 1e9  # same rail
    direct = h100.all_to_all(sent) - h100.latency[0, 8]
    assert direct == pytest.approx(1e9 / (0.94 * 50e9))
    crossed = np.zeros((16, 16))
    crossed[0, 9] = 1e9  # half over the own NIC, half over a neighbour's
    assert h100.all_to_all(crossed) - h100.latency[0, 9] == pytest.approx(direct / 2)


def test_nvl72_spreads_over_18_chips() -> None:
    """One link of 50 GB/s into each of 18 chips: 900 GB/s, and every path two hops."""
    domain = Fabric.preset("gb200-nvl72")
    assert domain.num_ranks == 72
    assert domain.port_bytes_per_s == 900e9
    assert domain.graph.number_of_nodes() == 72 + 18


def test_a_preset_of_an_unknown_kind_names_those_there_are(tmp_path) -> None:
    """The file and the kinds are named."""
    (tmp_path / "mine.toml").write_text('topology = "ring"\n')
    with pytest.raises(ValueError, match=r"mine\.toml: topology = 'ring' is not one of two-level"):
        Fabric.preset(tmp_path / "mine.toml")

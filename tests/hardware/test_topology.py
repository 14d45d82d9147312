"""CloudMatrix384 unfolds to the published counts."""

from collections import Counter

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

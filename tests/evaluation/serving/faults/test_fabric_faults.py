"""Failed links and switches slow the fabric, by name and by index."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evaluation.serving.faults.fabric_faults import (
    broken_parts,
    cut_dies,
    dies_hit,
    port_share,
    remaining_fabric,
)
from evaluation.serving.faults.fabric_parts import cables, switches
from evaluation.serving.faults.fault import Fault
from hardware import Fabric

EVEN = np.full((32, 32), 1e6)


def test_cables_and_switches_are_counted_once(fabric) -> None:
    """Two directions are one cable; dies and CPUs are no switches."""
    assert 2 * len(cables(fabric)) == len(fabric.links)
    assert len({frozenset(cable) for cable in cables(fabric)}) == len(cables(fabric))
    assert len(switches(fabric)) == 2 * 7 + 7 * 16
    assert not set(switches(fabric)) & set(fabric.ranks)


def test_index_and_name_mean_the_same(fabric) -> None:
    """Every switch by its place in the list, and a cable from either end."""
    for index, node in enumerate(switches(fabric)):
        by_index = broken_parts(fabric, [Fault(0, "a", "switch", index)])
        assert by_index == broken_parts(fabric, [Fault(0, "a", "switch", name=str(node))])
        assert by_index == ((), (node,))
    one, other = cables(fabric)[5]
    back = Fault(0, "a", "link", name=f"{other}:{one}")
    assert len(broken_parts(fabric, [Fault(0, "a", "link", 5), back])[0]) == 1


def test_a_failed_switch_slows_the_exchange(fabric) -> None:
    """Six of seven planes carry what seven carried."""
    after = remaining_fabric(fabric, [Fault(0, "a", "switch", name="l1.0.0")])
    assert after.num_ranks == 32
    assert after.all_to_all(EVEN) == pytest.approx(fabric.all_to_all(EVEN) * 7 / 6, rel=0.01)


def test_a_failed_link_is_gone(fabric) -> None:
    """In both directions, and an exchange takes no less time."""
    after = remaining_fabric(fabric, [Fault(0, "a", "link", name="die0.0:l1.0.3")])
    assert ("die0.0", "l1.0.3") not in after.links
    assert ("l1.0.3", "die0.0") not in after.links
    assert after.all_to_all(EVEN) > fabric.all_to_all(EVEN)


def test_other_kinds_leave_the_fabric_as_it_is(fabric) -> None:
    """Faults of dies break no link; dies that the executor runs without are named separately."""
    faults = [Fault(0, "a", "die", 3), Fault(0, "a", "glitch")]
    assert remaining_fabric(fabric, faults) is fabric
    assert remaining_fabric(fabric, [], [3, 31]).ranks == [
        rank for number, rank in enumerate(fabric.ranks) if number not in (3, 31)
    ]


def test_all_ways_out_of_a_die_cut_it_off(fabric) -> None:
    """Six of seven planes lost are borne; so are all seven, by way of the sibling die; then not."""
    planes = [Fault(0, "a", "link", name=f"die0.0:l1.0.{plane}") for plane in range(7)]
    assert cut_dies(fabric, planes) == ()
    cut = [*planes, Fault(0, "a", "link", name="die0.0:die0.1")]
    assert cut_dies(fabric, cut) == (0,)
    share = port_share(fabric, cut)
    assert share[0] == 0
    assert share[5] == pytest.approx(1.0)


def test_ports_keep_what_their_links_keep(fabric) -> None:
    """A die that lost one of seven planes keeps six; nothing is broken, nothing is lost."""
    share = port_share(fabric, [Fault(0, "a", "link", name="die0.0:l1.0.3")])
    assert 0.5 < share[0] < 1
    assert share[0] == share.min()
    assert (port_share(fabric, []) == 1).all()
    assert (port_share(fabric, [Fault(0, "a", "switch", name="l1.0.3")])[:16] < 1).all()


def test_the_largest_part_of_a_network_goes_on() -> None:
    """Of parts of the same size, that with the first die."""
    line = Fabric.from_graph(_line(5), range(5))
    assert cut_dies(line, [Fault(0, "a", "link", name="1:2")]) == (0, 1)
    even = Fabric.from_graph(_line(4), range(4))
    assert cut_dies(even, [Fault(0, "a", "link", name="1:2")]) == (2, 3)
    assert cut_dies(even, []) == ()


def test_dies_that_are_away_still_pass_traffic_on() -> None:
    """The middle of a line is away, and both ends reach each other."""
    line = Fabric.from_graph(_line(3), range(3))
    left = remaining_fabric(line, [], [1])
    assert left.ranks == [0, 2]
    assert np.isfinite(left.latency).all()
    assert remaining_fabric(line, []) is line


def _line(length):
    graph = nx.path_graph(length).to_directed()
    nx.set_edge_attributes(graph, 1e9, "bandwidth")
    nx.set_edge_attributes(graph, 1e-6, "latency")
    return graph


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_broken_parts_make_no_exchange_faster(fabric, data) -> None:
    """Whatever links and switches fail that cut nothing off."""
    links = data.draw(st.lists(st.integers(0, len(cables(fabric)) - 1), max_size=3))
    nodes = data.draw(st.lists(st.integers(0, len(switches(fabric)) - 1), max_size=2))
    faults = [Fault(0, "a", "link", one) for one in links]
    faults += [Fault(0, "a", "switch", one) for one in nodes]
    assume(not cut_dies(fabric, faults))
    left = remaining_fabric(fabric, faults)
    assert left.all_to_all(EVEN) >= fabric.all_to_all(EVEN) * (1 - 1e-9)


def test_a_fault_hits_dies_of_its_own(decode) -> None:
    """One, a node's, those cut off together with what is broken, or none."""
    assert dies_hit(Fault(0, "a", "die", 3), decode) == (3,)
    assert dies_hit(Fault(0, "a", "node", 1), decode) == tuple(range(16, 32))
    ways = [Fault(0, "a", "link", name=f"die0.0:l1.0.{plane}") for plane in range(7)]
    last = Fault(0, "a", "link", name="die0.0:die0.1")
    assert dies_hit(last, decode) == ()
    assert dies_hit(last, decode, ways) == (0,)
    assert dies_hit(Fault(0, "a", "slow", 3, speed=0.5), decode) == ()

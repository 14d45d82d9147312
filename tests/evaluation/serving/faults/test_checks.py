"""Faults that cannot happen are refused before time starts."""

import networkx as nx
import pytest

from evaluation.serving.faults.checks import check
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from hardware import Fabric


def test_faults_come_back_by_time(decode, prefills) -> None:
    """Those that can happen, all of them."""
    late = Fault(9, "decode-0", "node", 1)
    early = Fault(3, "prefill-1", "slow", 15, speed=0.9)
    glitch = Fault(5, "decode-0", "glitch")
    assert check([late, early, glitch], [*prefills, decode]) == (early, glitch, late)
    assert check([], []) == ()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(1, "decode-1", "die"), "no executor 'decode-1'; did you mean 'decode-0'"),
        (Fault(1, "xyz", "die"), "no executor 'xyz'; there are prefill-0, prefill-1, decode-0"),
        (Fault(1, "decode-0", "die", 32), "index = 32 breaks 0 <= index < 32 dies of decode-0"),
        (Fault(1, "decode-0", "die", -1), "index = -1 breaks 0 <= index < 32 dies"),
        (Fault(1, "decode-0", "node", 2), "index = 2 breaks 0 <= index < 2 nodes"),
        (Fault(1, "decode-0", "slow", 32, speed=0.5), "index = 32 breaks 0 <= index < 32 dies"),
        (Fault(1, "decode-0", "glitch", 1), "index = 1, but a glitch hits all of decode-0"),
        (Fault(-1, "decode-0", "die"), "at_s = -1 breaks 0 <= at_s"),
        (Fault(float("nan"), "decode-0", "die"), "at_s = nan breaks"),
        (Fault(float("inf"), "decode-0", "die"), "at_s = inf breaks"),
        (Fault(1, "decode-0", "die", lasts_s=0), "lasts_s = 0 breaks 0 < lasts_s"),
        (Fault(1, "decode-0", "die", lasts_s=float("inf")), "leave it out for never repaired"),
        (Fault(1, "decode-0", "slow"), "speed = 1.0 breaks 0 < speed < 1"),
        (Fault(1, "decode-0", "slow", speed=0), "speed = 0 breaks"),
        (Fault(1, "decode-0", "die", speed=0.5), "speed is a key of slow alone"),
        (Fault(1, "decode-0", "die", plane="ub"), "plane is a key of link, switch alone"),
        (Fault(1, "decode-0", "link", plane="tin"), "plane = 'tin' is none of those between"),
        (Fault(1, "decode-0", "die", name="die0.0"), "name is a key of link, switch alone"),
        (Fault(1, "decode-0", "switch", 2, name="l1.0.0"), "name and index = 2 are both given"),
        (Fault(1, "decode-0", "fire"), "kind = 'fire' is not one of die"),
        (Fault(1, "prefill-0", "link"), "prefill-0 has no fabric; give it one"),
        (Fault(1, "decode-0", "link", 10**6), "breaks 0 <= index < 520 links"),
        (Fault(1, "decode-0", "switch", 126), "index = 126 breaks 0 <= index < 126 switches"),
        (Fault(1, "decode-0", "switch", name="l1.0.9"), "no node 'l1.0.9'; did you mean 'l"),
        (Fault(1, "decode-0", "switch", name="die0.0"), "'die0.0' is not a switch"),
        (Fault(1, "decode-0", "link", name="die0.0"), "a link is named by its ends, a:b"),
        (Fault(1, "decode-0", "link", name="die0.0:l1.1.0"), "no link between 'die0.0'"),
    ],
)
def test_impossible_faults_are_refused(decode, prefills, fault, message) -> None:
    """The fault, the value and the rule it breaks are named."""
    with pytest.raises(ValueError, match=message):
        check([Fault(0, "decode-0", "die"), fault], [*prefills, decode])


def test_two_executors_of_one_name_are_refused(prefills) -> None:
    """A fault could not say which."""
    with pytest.raises(ValueError, match="executors prefill-0 occur twice"):
        check([], [prefills[0], *prefills])


def test_a_network_that_is_cut_can_happen() -> None:
    """Two links at one time leave a corner of a square alone: its die is lost."""
    ring = nx.cycle_graph(4).to_directed()
    nx.set_edge_attributes(ring, 1e9, "bandwidth")
    nx.set_edge_attributes(ring, 1e-6, "latency")
    square = ExecutorDies("a", "both", 4, 4, 1, fabric=Fabric.from_graph(ring, range(4)))
    one = Fault(1, "a", "link", name="0:1", lasts_s=2)
    assert len(check([Fault(2, "a", "link", name="2:1"), one], [square])) == 2

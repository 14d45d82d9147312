"""Failed links and switches slow the fabric, by name and by index."""

import numpy as np
import pytest

from evaluation.serving.fabric_faults import (
    broken_parts,
    cables,
    fabric_after,
    is_cut,
    switches,
)
from evaluation.serving.faults import Fault

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
    after = fabric_after(fabric, [Fault(0, "a", "switch", name="l1.0.0")])
    assert after.num_ranks == 32
    assert after.all_to_all(EVEN) == pytest.approx(fabric.all_to_all(EVEN) * 7 / 6, rel=0.01)


def test_a_failed_link_is_gone(fabric) -> None:
    """In both directions, and an exchange takes no less time."""
    after = fabric_after(fabric, [Fault(0, "a", "link", name="die0.0:l1.0.3")])
    assert ("die0.0", "l1.0.3") not in after.links
    assert ("l1.0.3", "die0.0") not in after.links
    assert after.all_to_all(EVEN) > fabric.all_to_all(EVEN)


def test_other_kinds_leave_the_fabric_as_it_is(fabric) -> None:
    """Dies that the executor runs without are named apart."""
    assert fabric_after(fabric, [Fault(0, "a", "die", 3), Fault(0, "a", "glitch")]) is fabric
    assert fabric_after(fabric, [], [3, 31]).ranks == [
        rank for number, rank in enumerate(fabric.ranks) if number not in (3, 31)
    ]
    with pytest.raises(ValueError, match="lost die 32 breaks 0 <= die < 32"):
        fabric_after(fabric, [], [32])


def test_all_ways_out_of_a_die_cut_it_off(fabric) -> None:
    """Six of seven planes lost are borne; so are all seven, by way of the sibling die; then not."""
    planes = [Fault(0, "a", "link", name=f"die0.0:l1.0.{plane}") for plane in range(7)]
    assert not is_cut(fabric, planes)
    cut = [*planes, Fault(0, "a", "link", name="die0.0:die0.1")]
    assert is_cut(fabric, cut)
    with pytest.raises(ValueError, match="no path"):
        fabric_after(fabric, cut)

"""What holds up the all-to-alls: the hot rank's links, or what ranks pull."""

import dataclasses

import numpy as np
import pytest

from evaluation.step.exchange import exchange
from hardware import Library


@pytest.fixture
def hot():
    """One step, one layer; rank 3 of sixteen has most tokens."""
    tokens = np.full((1, 1, 16), 100.0)
    tokens[0, 0, 3] = 900
    return tokens


@pytest.mark.parametrize(("name", "end"), [("dispatch", 1), ("combine", 0)])
def test_links_of_the_hot_rank_are_fullest(executor, hot, name, end):
    """In dispatch those into it, in combine those out of it; its seven planes are alike."""
    found = exchange(executor.collectives, hot, name)
    fabric = executor.collectives.fabric
    first, second = found.busiest(fabric, 2)
    assert first.link[end] == fabric.ranks[3]
    assert first.others == 6
    assert second.busy_s < first.busy_s


@pytest.mark.parametrize("name", ["dispatch", "combine"])
def test_without_a_library_links_decide(executor, hot, name):
    """The fullest link is as long busy as the all-to-all takes, less its latency."""
    collectives = executor.collectives
    found = exchange(collectives, hot, name)
    size = getattr(collectives, f"{name}_bytes")
    inbound = name == "dispatch"
    expected = collectives.fabric.even_exchange(hot * size, inbound=inbound, latency=False)
    assert found.link_busy_s.max() == pytest.approx(float(expected[0, 0]))
    assert found.links_decide == 1


def test_without_contention_links_never_decide(executor, hot):
    """Then only what ranks pull counts."""
    library = Library.preset("cann-ep")
    alone = dataclasses.replace(executor.collectives, library=library, contention=False)
    found = exchange(alone, hot, "dispatch")
    assert (found.links_decide, found.contention_s) == (0, 0)


def test_layers_add_up_and_steps_are_averaged(executor, hot):
    """Two steps of three equal layers are three times one."""
    many = np.tile(hot, (2, 3, 1))
    one, three = (exchange(executor.collectives, one, "combine") for one in (hot, many))
    np.testing.assert_allclose(three.link_busy_s, 3 * one.link_busy_s)
    assert three.contention_s == pytest.approx(3 * one.contention_s)


def test_without_tokens_no_link_is_busy(executor):
    """Nothing to name."""
    found = exchange(executor.collectives, np.zeros((1, 2, 16)), "dispatch")
    assert found.busiest(executor.collectives.fabric, 5) == []

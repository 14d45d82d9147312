"""The bottleneck of an all-to-all: the links of the hot rank, or the rate at which ranks pull."""

import dataclasses

import numpy as np
import pytest

from evaluation.step.exchange import exchange
from hardware import Library


@pytest.fixture
def hot():
    """One step, one layer; rank 3 of sixteen has nine times the tokens of the others."""
    tokens = np.full((1, 1, 16), 100.0)
    tokens[0, 0, 3] = 900
    return tokens


@pytest.mark.parametrize(("name", "end"), [("dispatch", 1), ("combine", 0)])
def test_links_of_the_hot_rank_are_fullest(executor, hot, name, end):
    """Dispatch fills the links into the hot rank, combine those out of it, on all seven planes."""
    load = exchange(executor.collectives, hot, name)
    fabric = executor.collectives.fabric
    first, second = load.busiest(fabric, 2)
    assert first.link[end] == fabric.ranks[3]
    assert first.others == 6
    assert second.busy_s < first.busy_s


@pytest.mark.parametrize("name", ["dispatch", "combine"])
def test_without_a_library_links_decide(executor, hot, name):
    """The busiest link is busy as long as the all-to-all takes, without its latency."""
    collectives = executor.collectives
    load = exchange(collectives, hot, name)
    size = getattr(collectives, f"{name}_bytes")
    inbound = name == "dispatch"
    expected = collectives.fabric.even_exchange(hot * size, inbound=inbound, latency=False)
    assert load.link_busy_s.max() == pytest.approx(float(expected[0, 0]))
    assert load.links_decide == 1


def test_without_contention_links_never_decide(executor, hot):
    """Without contention only the rate at which ranks pull counts."""
    library = Library.preset("cann-ep")
    uncontended = dataclasses.replace(executor.collectives, library=library, contention=False)
    load = exchange(uncontended, hot, "dispatch")
    assert (load.links_decide, load.contention_s) == (0, 0)


def test_layers_add_up_and_steps_are_averaged(executor, hot):
    """Two steps of three equal layers take three times as long per step as one layer."""
    many = np.tile(hot, (2, 3, 1))
    single, triple = (exchange(executor.collectives, tokens, "combine") for tokens in (hot, many))
    np.testing.assert_allclose(triple.link_busy_s, 3 * single.link_busy_s)
    assert triple.contention_s == pytest.approx(3 * single.contention_s)


def test_without_tokens_no_link_is_busy(executor):
    """Without tokens the list of busy links is empty."""
    load = exchange(executor.collectives, np.zeros((1, 2, 16)), "dispatch")
    assert load.busiest(executor.collectives.fabric, 5) == []

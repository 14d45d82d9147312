"""Loads of a trace relative to the mean of the layer."""

import numpy as np
import pytest

import traces
from evaluation.analysis.trace_loads import heaviest_over_time, relative_load, sorted_load
from traces.statistics import summarise


@pytest.fixture(scope="module")
def summary():
    """Twelve steps of three layers and eight experts; layer 1 is idle, expert 5 of layer 2 heavy.

    Expert 5 has 9 of the 16 tokens of its layer, the other seven have 1 each: 4.5 and 0.5 times
    the mean of 2.
    """
    counts = np.ones((12, 3, 8), int)
    counts[:, 1] = 0
    counts[:, 2, 5] = 9
    return summarise(traces.RoutingTrace(counts, "toy", 2))


def test_loads_are_over_the_mean_of_the_layer(summary):
    """Even loads are 1, and a layer without load is not known."""
    relative = relative_load(summary)
    assert relative[0] == pytest.approx(np.ones(8))
    assert np.isnan(relative[1]).all()
    assert relative[2] == pytest.approx([0.5] * 5 + [4.5] + [0.5] * 2)


def test_the_heaviest_expert_comes_first(summary):
    """Half of the 24 experts are shown, in order of their load in the whole trace."""
    heaviest = heaviest_over_time(summary)
    assert heaviest.experts[0] == (2, 5)
    assert heaviest.load.shape == (12, 12)
    assert heaviest.load[0] == pytest.approx(np.full(12, 4.5))


def test_sorted_loads_are_the_mean_of_loaded_layers(summary):
    """The idle layer does not count: (1 + 4.5) / 2 first, then (1 + 0.5) / 2."""
    assert sorted_load(summary) == pytest.approx([2.75] + [0.75] * 7)


def test_an_idle_trace_has_no_loads():
    """A trace without tokens raises no warning."""
    idle = summarise(traces.RoutingTrace(np.zeros((2, 2, 4), int), "toy", 1))
    assert np.isnan(relative_load(idle)).all()
    assert sorted_load(idle).tolist() == [0.0] * 4

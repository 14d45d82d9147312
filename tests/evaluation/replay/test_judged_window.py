"""The window that is judged, and what a solver sees before it."""

from dataclasses import replace

import numpy as np
import pytest

import traces
from evaluation.replay.judged_window import JudgedWindow, judged_window, thinned
from evaluation.replay.scenario import Scenario
from evaluation.replay.traffic import traffic_of, windows_of
from tests.evaluation.analysis.made_window import made_window


@pytest.fixture
def recorded(tmp_path):
    """A scenario of ten recorded steps in windows of two, two windows of history."""
    counts = np.random.default_rng(0).integers(1, 9, (10, 2, 64))
    traces.save(traces.RoutingTrace(counts, "mine", 8), tmp_path / "mine.parquet")
    sizes = {"num_ranks": 16, "slots_per_rank": 5, "window_steps": 2, "history_windows": 2}
    return Scenario("mine", (str(tmp_path / "mine.parquet"),), "olmoe-1b-7b", **sizes)


def test_the_last_window_of_a_trace(recorded):
    """Its history are the two windows before it."""
    windows = list(windows_of(traffic_of(recorded, 0), recorded))
    judged = judged_window(recorded)
    assert (judged.number, judged.last_steps) == (4, 2)
    np.testing.assert_array_equal(judged.history, [windows[2].load, windows[3].load])
    np.testing.assert_array_equal(judged.window.counts, windows[4].counts)


def test_the_window_that_is_asked_for(recorded):
    """The first one that can be judged has one window before it."""
    windows = list(windows_of(traffic_of(recorded, 0), recorded))
    judged = judged_window(recorded, number=1)
    np.testing.assert_array_equal(judged.history, [windows[0].load])
    np.testing.assert_array_equal(judged.window.counts, windows[1].counts)


def test_a_workload_shows_observed_tokens(small_workload):
    """The history are other tokens than those that would have judged the same windows."""
    scenario = replace(small_workload, history_windows=8)
    windows = list(windows_of(traffic_of(scenario, 0), scenario))
    judged = judged_window(scenario)
    assert judged.number == 3
    np.testing.assert_array_equal(judged.history, [window.observed for window in windows[:3]])
    assert judged.window is windows[3]
    assert judged_window(scenario, seed=1).history.sum() != judged.history.sum()


def test_the_first_window_after_a_change(changing_workload):
    """There balancers differ most; solvers have seen the mixture before it alone."""
    judged = judged_window(changing_workload)
    assert judged.number == 2
    assert set(judged.window.phases) == {"prefill"}
    assert judged.load_change > 2 * judged_window(changing_workload, number=1).load_change


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (-1, "-1 < 1"),
        (0, "0 < 1; window 0 is only observed"),
        (5, "5 breaks window <= 4, the last"),
    ],
)
def test_windows_that_cannot_be_judged_are_refused(recorded, number, message):
    """The first one is only observed, and there are five."""
    with pytest.raises(ValueError, match=f"window = {message}"):
        judged_window(recorded, number=number)


def test_traffic_of_one_window_is_refused(recorded):
    """Nothing follows that could judge."""
    with pytest.raises(ValueError, match="has 1 windows < 2, one observed and the next one"):
        judged_window(replace(recorded, window_steps=6))


def test_load_change_by_hand():
    """A quarter of one layer's tokens move; the other layer is idle and left out."""
    history = np.array([[[9, 9, 9, 9], [0, 0, 0, 0]]])
    window = made_window([[[0, 2, 1, 1], [5, 5, 5, 5]]], [4])
    assert JudgedWindow(1, history, 1, window).load_change == pytest.approx(0.25)
    idle = JudgedWindow(1, 0 * history, 1, window)
    assert idle.load_change == 0


def test_thinned_steps_stand_for_all():
    """Evenly spaced; a window that has no more is left as it is."""
    window = made_window(np.arange(10)[:, None, None], np.arange(10), [4.0] * 10)
    thin = thinned(window, 4)
    assert thin.tokens.tolist() == thin.counts.ravel().tolist() == [0, 2, 5, 7]
    assert thin.weight.tolist() == [10.0] * 4
    assert thin.load is window.load
    assert thinned(window, 10) is window
    with pytest.raises(ValueError, match="steps = 0 < 1"):
        thinned(window, 0)

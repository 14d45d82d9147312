"""What learns does so from the past of the test, and all are scored on the same windows."""

from dataclasses import replace

import numpy as np
import pytest

import traces
from evaluation.kinds import forecast
from evaluation.replay import time_split
from evaluation.replay.replay import replay
from evaluation.replay.scenario import Scenario
from lb.forecasters.last import last

SCENARIO = Scenario("x", ("ar1-drift",), "deepseek-v3", 32, 9, 2, split=(0.5, 0.25, 0.25))


class Fitted:
    """Remembers what it was shown to learn from."""

    def __init__(self, history=None, validation=None):
        self.history, self.validation = history, validation

    def fit(self, history, validation=None):
        """Return another one."""
        return Fitted(history, validation)


@pytest.fixture
def trace():
    """Return 16 steps of 2 layers of 4 experts, which number themselves."""
    return traces.RoutingTrace(np.arange(128).reshape(16, 2, 4), "toy", 1)


def test_training_windows_come_first(trace):
    """Eight windows of two steps: four to train, two to validate, two to test."""
    made = Fitted()
    found = time_split.learned(made, trace, SCENARIO)
    assert found.scored_from == 6
    assert found.windows == {"train": 4, "validation": 2, "test": 2}
    np.testing.assert_array_equal(found.made.history, trace.windows(2)[:4])
    np.testing.assert_array_equal(found.made.validation, trace.windows(2)[4:6])
    assert made.history is None


def test_without_a_split_nothing_is_fitted(trace):
    """And all windows but the first are scored."""
    made = Fitted()
    assert time_split.learned(made, trace, replace(SCENARIO, split=None)).made is made
    assert time_split.learned(made, trace, replace(SCENARIO, split=None)).scored_from == 1


def test_what_cannot_learn_meets_the_same_test(trace):
    """A plain function is scored from the same window on."""
    assert time_split.learned(last, trace, SCENARIO).scored_from == 6
    assert time_split.learned(last, trace, SCENARIO).made is last


def test_too_short_a_trace_is_refused(trace):
    """Nothing to train on, in numbers."""
    with pytest.raises(ValueError, match=r"trains on 0 and tests on 1; give a longer trace"):
        time_split.learned(Fitted(), trace.slice(0, 2), replace(SCENARIO, split=(0.2, 0.0, 0.8)))


def test_only_test_windows_are_scored(trace, executor, deployment):
    """The solver is first asked before the first of them, with the history there is."""
    shown = []
    whole = traces.RoutingTrace(np.ones((16, 2, 64), dtype=np.int64), "toy", 6)

    def solver(problem):
        shown.append(problem.num_windows)
        return problem.current

    found = replay(
        whole,
        executor,
        replace(deployment, window_steps=2, history_windows=3),
        solver,
        scored_from=6,
    )
    assert shown == [3, 3]
    assert len(found.following) == 2


def test_forecasts_are_scored_on_the_test_alone(trace):
    """As many errors as there are test windows."""
    found = forecast.walk(trace, replace(SCENARIO, num_ranks=2, slots_per_rank=3), last, 6)
    assert len(found.error) == 2

"""Training sees the windows before the test, and all candidates are scored on the test."""

from dataclasses import replace

import numpy as np
import pytest

import traces
from evaluation.kinds import forecast
from evaluation.replay import time_split
from evaluation.replay.replay import replay
from evaluation.replay.scenario import Scenario
from evaluation.replay.traffic import traffic_of, windows_of
from lb.forecasters.last import last

SCENARIO = Scenario("x", ("ar1-drift",), "deepseek-v3", 32, 9, 2, split=(0.5, 0.25, 0.25))


class Trainee:
    """A candidate that remembers what it was trained on."""

    def __init__(self, history=None, validation=None):
        self.history, self.validation = history, validation

    def fit(self, history, validation=None):
        """Return a trained copy."""
        return Trainee(history, validation)


def train(candidate, trace, scenario=SCENARIO):
    """Train on the windows of a trace."""
    return time_split.train(candidate, windows_of(trace, scenario), scenario)


@pytest.fixture
def trace():
    """Return 16 steps of 2 layers of 4 experts; the counts 0 to 127 tell the steps apart."""
    return traces.RoutingTrace(np.arange(128).reshape(16, 2, 4), "toy", 1)


def test_training_windows_come_first(trace):
    """Eight windows of two steps split into four, two and two."""
    candidate = Trainee()
    training = train(candidate, trace)
    assert training.scored_from == 6
    assert training.windows == {"train": 4, "validation": 2, "test": 2}
    np.testing.assert_array_equal(training.candidate.history, trace.windows(2)[:4])
    np.testing.assert_array_equal(training.candidate.validation, trace.windows(2)[4:6])
    assert candidate.history is None


def test_without_a_split_nothing_is_fitted(trace):
    """Without a split nothing is trained, and all windows but the first are scored."""
    candidate = Trainee()
    training = train(candidate, trace, replace(SCENARIO, split=None))
    assert training.candidate is candidate
    assert training.scored_from == 1


def test_a_candidate_without_fit_meets_the_same_test(trace):
    """A plain function is scored from the first test window on."""
    assert train(last, trace).scored_from == 6
    assert train(last, trace).candidate is last


def test_too_short_a_trace_is_refused(trace):
    """The error names the numbers of windows to train and test on."""
    with pytest.raises(ValueError, match=r"trains on 0 and tests on 1; give longer traffic"):
        train(Trainee(), trace.slice(0, 2), replace(SCENARIO, split=(0.2, 0.0, 0.8)))


def test_a_test_that_begins_after_the_change_is_refused():
    """How a balancer takes the change is scored from the windows before it."""
    late = replace(SCENARIO, change_window=5)
    with pytest.raises(ValueError, match=r"tests from window 6 >= change_window = 5"):
        late.split_bounds(8)
    assert replace(late, change_window=7).split_bounds(8) == (4, 6)


def test_training_sees_the_observed_tokens_of_a_workload(small_workload):
    """Not those that are judged."""
    scenario = replace(small_workload, split=(0.5, 0.25, 0.25))
    scenario.check()
    windows = list(windows_of(traffic_of(scenario, 0), scenario))
    training = time_split.train(Trainee(), windows, scenario)
    np.testing.assert_array_equal(
        training.candidate.history, [window.observed for window in windows[:2]]
    )
    assert (training.candidate.history != [window.load for window in windows[:2]]).any()


def test_only_test_windows_are_scored(trace, executor, deployment):
    """The solver is first called before the first test window, with the full history."""
    history_sizes = []
    whole = traces.RoutingTrace(np.ones((16, 2, 64), dtype=np.int64), "toy", 6)

    def solver(problem):
        history_sizes.append(problem.num_windows)
        return problem.current

    log = replay(
        whole,
        executor,
        replace(deployment, window_steps=2, history_windows=3),
        solver,
        scored_from=6,
    )
    assert history_sizes == [3, 3]
    assert len(log.following) == 2


def test_forecasts_are_scored_on_the_test_alone(trace):
    """A forecaster has one error for each test window."""
    scenario = replace(SCENARIO, num_ranks=2, slots_per_rank=3)
    result = forecast.score_forecasts(windows_of(trace, scenario), scenario, last, 6)
    assert len(result.error) == 2

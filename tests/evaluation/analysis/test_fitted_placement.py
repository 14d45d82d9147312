"""A solver answers the problem that a replay would give it."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.analysis.fitted_placement import fitted_placement
from evaluation.replay.judged_window import judged_window
from evaluation.replay.replay import replay_windows
from evaluation.replay.traffic import traffic_of, windows_of


@pytest.fixture
def setting(small_workload):
    """The last window of a workload, with three windows of history."""
    scenario = replace(small_workload, history_windows=3)
    executor = scenario.executor()
    return scenario, judged_window(scenario), scenario.deployment(executor), executor


def _asked(setting, current=None, **rules):
    problems = []

    def spy(problem):
        problems.append(problem)
        return lb.solve(problem, "greedy")

    _, judged, deployment, executor = setting
    answer = fitted_placement(spy, judged, replace(deployment, **rules), executor, current)
    return problems[0], answer


def test_the_problem_is_that_of_the_replay(setting):
    """Load, forecast and price of a move of the last call."""
    scenario, _, deployment, executor = setting
    problems = []

    def spy(problem):
        problems.append(problem)
        return lb.solve(problem, "greedy")

    replay_windows(windows_of(traffic_of(scenario, 0), scenario), executor, deployment, spy)
    current = problems[-1].current
    problem, answer = _asked(setting, current)
    np.testing.assert_array_equal(problem.load, problems[-1].load)
    np.testing.assert_array_equal(problem.forecast, problems[-1].forecast)
    assert problem.move_price == problems[-1].move_price
    np.testing.assert_array_equal(
        answer.physical_to_logical, lb.solve(problems[-1], "greedy").physical_to_logical
    )


def test_without_a_loaded_placement_moves_have_no_price(setting):
    """Nothing is loaded, or what is loaded has other slots."""
    problem, answer = _asked(setting, max_moves=5)
    assert (problem.current, problem.move_price, problem.max_moves) == (None, None, None)
    other, _ = _asked(setting, answer, slots_per_rank=8)
    assert other.current is None


def test_a_limit_of_moves_is_kept(setting):
    """A solver that knows no limit has its answer cut down, as in a replay."""
    _, judged, deployment, executor = setting
    current = fitted_placement(lb.make("contiguous"), judged, deployment, executor)
    _, free = _asked(setting, current)
    _, limited = _asked(setting, current, max_moves=300)
    assert 0 < limited.moves_from(current).sum() <= 300 < free.moves_from(current).sum()

"""Fitting a matrix: scores, cost, and curves."""

from dataclasses import replace

import pytest

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.kinds.fit.fit import FIT, AnytimePoint
from evaluation.kinds.fit.scenario import FitScenario
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import SuiteTask, tasks
from evaluation.leaderboard import rank

SCENARIO = FitScenario("x", "deepseek-v3", "lognormal", 32, 9, layers=3, anytime=True)
SUITE = Suite(
    "toy-v1",
    (SCENARIO,),
    "fit",
    seeds=(0, 1),
    options={"anytime": {"local-search": {"tolerance": [0.5, 1e-4]}}},
)


def test_scores_are_those_of_the_placement():
    """Mean and worst layer, and the gap to the bound, on the matrix of the seed."""
    result = SuiteTask("s", "fit", SCENARIO, Candidate("greedy", 3)).run()
    load = SCENARIO.load(3)
    reached = lb.solve(lb.Problem(load, 32, 9), "greedy").balancedness(load)
    assert result["status"] == "ok"
    assert result["scores"]["balancedness_fitted"] == pytest.approx(reached.mean())
    assert result["scores"]["worst_layer_fitted"] == pytest.approx(reached.min())
    bound = lb.bounds.balancedness_bound(load, 32, 9)
    assert result["scores"]["gap_to_bound"] == pytest.approx((bound - reached).mean())
    assert result["family"] == "lognormal"
    assert result["cost"]["ratio"] > 0
    assert len(result["rank_load"]["relative"]) == 3


def test_every_seed_is_a_matrix_and_budgets_are_points():
    """Rows for all seeds; a curve's points for the first."""
    todo = tasks(SUITE, [Candidate("greedy"), Candidate("local-search")])
    points = [one.candidate for one in todo if isinstance(one.candidate, AnytimePoint)]
    rows = [(one.candidate.name, one.candidate.seed) for one in todo[: -len(points)]]
    assert rows == [("greedy", 0), ("local-search", 0), ("greedy", 1), ("local-search", 1)]
    assert [one.budget for one in points] == [("tolerance", 0.5), ("tolerance", 1e-4)]
    assert {one.seed for one in points} == {0}
    result = rank([one.run() for one in todo], FIT.measure)
    assert [row.name for row in result.rows] == ["local-search", "greedy"]
    loose, tight = result.curves["local-search"]
    assert loose["value"] == 1e-4
    assert tight["value"] == 0.5
    assert loose["balancedness"] >= tight["balancedness"]
    assert loose["ratio"] > 0


def test_scores_do_not_depend_on_what_ran_before(tmp_path):
    """The same task again has the same file and scores; another seed has another file."""
    task = SuiteTask("s", "fit", SCENARIO, Candidate("random", 1))
    assert task.run()["scores"] == task.run()["scores"]
    assert task.path(tmp_path) == task.path(tmp_path)
    assert task.path(tmp_path) != replace(task, candidate=Candidate("random", 2)).path(tmp_path)


def test_a_failure_is_a_record():
    """With its reason."""
    result = SuiteTask("s", "fit", SCENARIO, Candidate("ilp", 0, (("budget", -1.0),))).run()
    assert result["status"] == "failed"
    assert "budget" in result["reason"]

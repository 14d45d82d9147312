"""Tasks of a suite, and the files of their records."""

from dataclasses import replace

import pytest

import lb
from evaluation.candidates.callable_candidate import CallableCandidate
from evaluation.candidates.candidate import Candidate
from evaluation.kinds import solver
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import SuiteTask, tasks
from evaluation.replay.scenario import Scenario


def test_a_change_of_a_parameter_is_another_record(tmp_path):
    """So are another objective, forecaster and dispatcher; the same task has the same file."""
    scenario = Scenario("x", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)

    def path(scenario=scenario, **params):
        candidate = Candidate("incremental", 0, tuple(params.items()))
        return SuiteTask("s", "solver", scenario, candidate).path(tmp_path)

    changed = [
        path(share=0.25),
        path(share=0.5),
        path(replace(scenario, objective="seconds")),
        path(replace(scenario, forecaster="mean")),
        path(replace(scenario, dispatcher="optimal")),
    ]
    assert path() == path()
    assert path(share=0.5) == changed[1]
    assert len({path(), *changed}) == 6


def test_seeds_multiply_what_they_change():
    """All candidates on a generated trace, random ones on a recorded trace, the others once.

    The first seed comes first, in all scenarios.
    """
    recorded = Scenario("r", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)
    drawn = Scenario("d", ("ar1-drift",), "deepseek-v3", 32, 9, 1)
    candidates = [Candidate("greedy"), Candidate("random")]
    suite = Suite("s", (recorded, drawn), seeds=(4, 7))
    runs = [
        (task.scenario.id, task.candidate.name, task.candidate.seed)
        for task in tasks(suite, candidates)
    ]
    assert runs == [
        ("r", "greedy", 4),
        ("r", "random", 4),
        ("d", "greedy", 4),
        ("d", "random", 4),
        ("r", "random", 7),
        ("d", "greedy", 7),
        ("d", "random", 7),
    ]


SCENARIO = Scenario("r", ("olmoe-domains",), "olmoe-1b-7b", 16, 5, 1)


def bad(problem):
    """Fail."""
    raise ZeroDivisionError("my own")


def test_an_error_of_a_candidate_is_its_failure():
    """Its code, and its answer."""
    record = SuiteTask("s", "solver", SCENARIO, CallableCandidate("bad", solver=bad)).run()
    assert (record["status"], record["reason"]) == ("failed", "ZeroDivisionError: my own")
    wrong = CallableCandidate("wrong", solver=lambda problem: lb.Placement([[0] * 80], 16))
    assert SuiteTask("s", "solver", SCENARIO, wrong).run()["status"] == "infeasible"


def test_an_error_of_podlab_is_nobodys_failure(monkeypatch):
    """It ends the run with a traceback, or says what is wrong with the input."""
    task = SuiteTask("s", "solver", SCENARIO, Candidate("greedy"))

    def broken(*_):
        raise KeyError("step_s")

    monkeypatch.setattr(solver.scores, "summary", broken)
    with pytest.raises(RuntimeError, match="itself failed while it judged greedy on r") as hit:
        task.run()
    assert "in broken" in str(hit.value)  # the traceback, for those that are in another process

    def refused(*_):
        raise ValueError("too short")

    monkeypatch.setattr(solver.scores, "summary", refused)
    with pytest.raises(ValueError, match="while podlab judged greedy on r, seed 0: too short"):
        task.run()

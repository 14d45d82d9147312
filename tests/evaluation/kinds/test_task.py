"""Tasks of a suite, and the files of their records."""

from dataclasses import replace

from evaluation.candidates.candidate import Candidate
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

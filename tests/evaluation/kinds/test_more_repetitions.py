"""The next repetitions: as many as ties need, as a round may add, and as the budget allows."""

import pytest

from evaluation.kinds import suite_file
from evaluation.kinds.more_repetitions import check_repeatable, next_seeds, without_failed
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import tasks
from evaluation.leaderboard.ties import Tie

ROWS = (("a", "even"), ("b", "even"))
#: More than any test asks for.
LONG = 1e9


def tie(repetitions):
    """Return a tie of an interesting difference."""
    return Tie(ROWS, 0.01, repetitions)


def test_as_many_as_the_ties_need():
    """Seven are there and nine are needed: two more, with the next seeds."""
    assert next_seeds(range(7), [tie(8), tie(9)], 1.0, LONG) == (7, 8)


def test_a_round_at_most_doubles():
    """An expectation from four repetitions is rough."""
    assert next_seeds(range(4), [tie(900)], 1.0, LONG) == (4, 5, 6, 7)


def test_a_single_repetition_gets_two_more():
    """Nothing is known about its scatter, and three repetitions give a first idea."""
    assert next_seeds((5,), [tie(None)], 1.0, LONG) == (6, 7)


def test_no_more_than_the_budget_allows():
    """Ten seconds are enough for three repetitions of three seconds, two for none."""
    assert next_seeds(range(8), [tie(16)], 3.0, 10.0) == (8, 9, 10)
    assert next_seeds(range(8), [tie(16)], 3.0, 2.0) == ()
    assert next_seeds(range(8), [tie(16)], 0.0, 0.0) == ()


def test_recorded_traffic_cannot_be_repeated():
    """A recording, or the parts of one, comes to an end; the error names the scenarios."""
    suite = suite_file.load("serving")
    with pytest.raises(ValueError, match=f"{suite.scenario_ids[0]}.*only repeats"):
        check_repeatable(suite)


def test_generated_traffic_can():
    """Every seed of a workload, a generated trace or a matrix is new traffic."""
    for name in ("default", "quick", "forecast", "fit"):
        check_repeatable(suite_file.load(name))


def test_who_failed_does_not_run_again():
    """Under the same dispatcher: under another one the solver may be ranked."""
    suite = suite_file.load("quick")
    todo = tasks(suite, suite_candidates(suite, ["greedy", "eplb"]))
    record = {"kind": "solver", "solver": "eplb", "dispatcher": "even"}
    left = without_failed(todo, [{**record, "status": "failed"}])
    assert not any(
        task.candidate.name == "eplb" and task.scenario.dispatcher == "even" for task in left
    )
    assert any(task.candidate.name == "greedy" for task in left)
    assert len(without_failed(todo, [{**record, "status": "ok"}])) == len(todo)

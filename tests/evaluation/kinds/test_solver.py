"""A solver replays the trace of its seed."""

from evaluation.candidates.candidate import Candidate
from evaluation.kinds.task import SuiteTask
from evaluation.replay.scenario import Scenario


def test_a_drawn_trace_goes_by_the_seed():
    """The record says which trace it was; the same seed gives the same."""
    scenario = Scenario("d", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=3, layers=2)
    tasks = [SuiteTask("s", "solver", scenario, Candidate("greedy", seed)) for seed in (1, 2, 1)]
    result = [task.run() for task in tasks]
    assert [record["trace_seed"] for record in result] == [1, 2, 1]
    assert result[0]["trace_hash"] == result[2]["trace_hash"] != result[1]["trace_hash"]
    assert result[0]["scores"] == result[2]["scores"] != result[1]["scores"]
    assert result[0]["cost"]["ratio"] > 0

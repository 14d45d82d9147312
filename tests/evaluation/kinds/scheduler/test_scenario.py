"""Suites of schedulers and recoveries, read strictly."""

import pytest

from evaluation.kinds import suite_file
from evaluation.kinds.recovery import RECOVERY
from evaluation.kinds.scheduler.scheduler import SCHEDULER
from evaluation.kinds.suite_file import parse

GOOD = {
    "id": "mine-v1",
    "kind": "serving",
    "seeds": [0, 1],
    "budget_s": 5,
    "reference": {"batch": "fcfs"},
    "scenario": [{"id": "a", "serving": "azure-busy", "stages": ["batch"]}],
}


def test_what_a_suite_says():
    """Changes go into the serving scenario; the other keys are about the ranking."""
    table = GOOD["scenario"][0] | {
        "leave_out": ["chunked"],
        "requests": 7,
        "prefill": "two-level",
        "routing": "uniform",
        "rebalance": {"policy": "never"},
        "mtbf_s": {"die": 9.0},
    }
    suite = parse("x", GOOD | {"scenario": [table], "parameters": {"fcfs": {}}})
    (one,) = suite.scenarios
    assert (suite.id, suite.seeds, suite.budget_s) == ("mine-v1", (0, 1), 5.0)
    assert (one.stages, one.leave_out, one.mtbf_s) == (("batch",), {"chunked"}, {"die": 9.0})
    scenario = one.scenario
    assert (scenario.name, scenario.requests, scenario.prefill) == ("a", 7, "two-level")
    assert (scenario.routing, scenario.rebalance.policy) == (("uniform",), "never")


def test_bundled_suites_rank_every_stage():
    """Each stage has at least one scenario, each kind its own stages, and a budget is stated."""
    serving, faults = suite_file.load("serving"), suite_file.load("faults")
    ranked = {stage for one in serving.scenarios for stage in one.stages}
    assert ranked == set(serving.options["reference"]) == set(SCHEDULER.rankable)
    assert set(faults.options["reference"]) == set(RECOVERY.rankable)
    assert (serving.budget_s, faults.budget_s) == (60.0, 30.0)


def changed(**scenario):
    """Return the good suite with a changed scenario."""
    return GOOD | {"scenario": [GOOD["scenario"][0] | scenario]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD | {"kind": "solver"}, "reference: a suite of kind solver"),
        (GOOD | {"seeds": [1]}, "at least two different"),
        (GOOD | {"seeds": [1, 1]}, "names one twice"),
        (GOOD | {"scenario": []}, "scenario is missing"),
        (GOOD | {"scenario": [3]}, r"give \[\[scenario\]\] tables"),
        (GOOD | {"scenario": GOOD["scenario"] * 2}, "occur twice"),
        (GOOD | {"reference": {"batch": "fcfz"}}, "reference.batch = 'fcfz'.*fcfs"),
        (GOOD | {"reference": {"batch": "fcfs", "job": "random"}}, "reference.job"),
        (GOOD | {"reference": {"decode": "least-kv"}}, "reference.batch = None"),
        (GOOD | {"parameters": {"fcfs": 3}}, "give a table"),
        (GOOD | {"budget_s": 0}, "budget_s = 0"),
        (changed(stages=["recovery"]), "give some of job"),
        (changed(stages=[]), "give some of job"),
        (changed(stages=["batch", "batch"]), "different names"),
        (changed(leave_out=["fcfs"]), "leave_out names the reference 'fcfs'"),
        (changed(serving="no-such"), "no-such"),
        (changed(served="x"), "served"),
        (changed(rebalance={"window": 3}), "window"),
        (changed(mtbf_s={"die": 0}), "mtbf_s"),
    ],
)
def test_bad_suites_are_named(content, message):
    """What is wrong with a suite is said."""
    with pytest.raises(ValueError, match=message):
        parse("x.toml", content)

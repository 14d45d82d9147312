"""Stages: which schedulers may replace each other, and with which seed."""

import dataclasses

import pytest

from evaluation.serving.scenario import stages
from evaluation.serving.scenario.rebalance_table import RebalanceTable
from evaluation.serving.scenario.scenario import read


@pytest.fixture(scope="module")
def scenario():
    """A bundled scenario; nothing is simulated here."""
    return read("azure-busy")


def test_every_stage_has_schedulers():
    """All names of a stage's registries are there, of recovery its modes."""
    assert "fcfs" in stages.available("batch")
    assert {"least-loaded", "expert-locality"} <= set(stages.available("decode_job"))
    assert "shrink" in stages.available("recovery")
    assert all(stages.available(stage) for stage in stages.STAGES)


@pytest.mark.parametrize("stage", ["job", "prefill", "batch", "decode", "decode_job"])
def test_one_stage_changes_alone(scenario, stage):
    """The named scheduler takes its stage, all else stays."""
    name = stages.available(stage)[0]
    changed = stages.with_scheduler(scenario, stage, name)
    assert getattr(changed, stage) == name
    assert dataclasses.replace(changed, **{stage: getattr(scenario, stage)}) == scenario


def test_parameters_go_into_the_table(scenario):
    """A scheduler with parameters is named by a table."""
    changed = stages.with_scheduler(scenario, "decode", "assignment", {"budget": 0.5})
    assert changed.decode == {"name": "assignment", "budget": 0.5}


def test_tables_keep_what_is_not_exchanged(scenario):
    """Of [rebalance] only the policy changes, of [recovery] only the mode."""
    scenario = dataclasses.replace(
        scenario,
        rebalance=RebalanceTable(window_s=3.0),
        recovery=dataclasses.replace(scenario.recovery, heartbeat_s=0.5),
    )
    changed = stages.with_scheduler(scenario, "rebalance", "never")
    assert (changed.rebalance.policy, changed.rebalance.window_s) == ("never", 3.0)
    changed = stages.with_scheduler(scenario, "recovery", "shrink")
    assert (changed.recovery.mode, changed.recovery.heartbeat_s) == ("shrink", 0.5)


def test_seeds_reach_those_who_draw_lots(scenario):
    """A scheduler with a seed field gets the seed unless one is given; others stay as they are."""
    scenario = dataclasses.replace(
        scenario,
        job="random",
        decode_job="power-of-two",
        decode={"name": "power-of-two", "seed": 9},
    )
    seeded = stages.with_seed(scenario, 4)
    assert seeded.job == {"name": "random", "seed": 4}
    assert seeded.decode_job == {"name": "power-of-two", "seed": 4}
    assert seeded.decode == {"name": "power-of-two", "seed": 9}
    assert (seeded.prefill, seeded.batch) == (scenario.prefill, scenario.batch)


def test_a_decode_router_may_choose_prefill_executors(scenario):
    """As the simulation takes one there, so does its seed."""
    seeded = stages.with_seed(dataclasses.replace(scenario, job="power-of-two"), 4)
    assert seeded.job == {"name": "power-of-two", "seed": 4}


def test_unknown_schedulers_are_named(scenario):
    """A wrong name is said, with the nearest."""
    with pytest.raises(ValueError, match="least-kv"):
        stages.with_seed(dataclasses.replace(scenario, decode="least-kw"), 0)

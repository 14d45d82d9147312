"""Schedulers play a scenario one at a time, each on the traffic of each seed."""

import dataclasses

import numpy as np
import pytest

from evaluation.kinds import suite_file
from evaluation.kinds.scheduler import scheduler
from evaluation.kinds.task import tasks
from evaluation.records.sweep import run
from evaluation.serving.scenario import stages


@pytest.fixture(scope="module")
def suite():
    """The bundled suite, its first scenario cut to 20 requests and two stages."""
    whole = suite_file.load("serving")
    first = whole.scenarios[0]
    short = dataclasses.replace(
        first,
        scenario=dataclasses.replace(first.scenario, requests=20, ttft_s=5.0),
        stages=("batch", "decode"),
        leave_out=frozenset({"expert-locality"}),
    )
    return dataclasses.replace(whole, scenarios=(short,), seeds=(0, 1))


@pytest.fixture(scope="module")
def faulty():
    """The bundled suite of faults, cut to 400 requests of one scenario and seed."""
    whole = suite_file.load("faults")
    first = whole.scenarios[0]
    short = dataclasses.replace(
        first, scenario=dataclasses.replace(first.scenario, requests=400), mtbf_s={"die": 100.0}
    )
    return dataclasses.replace(whole, scenarios=(short,), seeds=(2,))


def changed(task, **values):
    """Return the task with other values in its serving scenario."""
    serving = dataclasses.replace(task.scenario.scenario, **values)
    return dataclasses.replace(task, scenario=dataclasses.replace(task.scenario, scenario=serving))


def test_every_scheduler_has_a_task_for_every_seed(suite):
    """All that are registered play but those left out, with the suite's parameters."""
    todo = tasks(suite)
    batch = [task.candidate for task in todo if task.candidate.stage == "batch"]
    names = stages.available("batch")
    assert [(one.name, one.seed) for one in batch] == [
        (name, seed) for name in names for seed in (0, 1)
    ]
    decode = {task.candidate.name: task for task in todo if task.candidate.stage == "decode"}
    assert "expert-locality" not in decode
    described = scheduler.SCHEDULER.describe(decode["assignment"])
    assert described["id"] == suite.scenarios[0].id
    assert described["decode"] == {"name": "assignment", "budget": 0.02}
    assert decode["assignment"].candidate.reference == "round-robin"


def test_a_seed_is_added_to_those_of_the_suite(suite):
    """So that every scheduler still meets several parts of the recording."""
    assert scheduler.SCHEDULER.reseeded(suite, 10) == (10, 11)


def test_records_are_kept_and_taken_up(suite, tmp_path):
    """A second run takes the records of the first."""
    todo = tasks(suite)[:2]
    seen = []
    one = run(todo, tmp_path, on_record=lambda record, reused: seen.append(reused))
    two = run(todo, tmp_path, on_record=lambda record, reused: seen.append(reused))
    assert seen == [False, False, True, True]
    assert [record["scores"] for record in one] == [record["scores"] for record in two]
    assert all(record["status"] == "ok" and record["scores"]["goodput"] > 0 for record in one)
    assert one[0]["scores"] != one[1]["scores"]  # another seed, other traffic


def test_a_changed_preset_is_another_task(suite, tmp_path):
    """A user's own model file is hashed, so that no stale record is taken up."""
    from hardware import preset

    path = tmp_path / "model.toml"
    text = preset.find("models", "deepseek-v3").read_text()
    path.write_text(text)
    own = changed(tasks(suite)[0], model=str(path))
    before = own.path(tmp_path)
    assert before == own.path(tmp_path)
    path.write_text(text + "\n")
    assert own.path(tmp_path) != before


def test_a_failure_is_a_record(suite):
    """A scheduler that fails is a record with its reason."""
    task = tasks(suite)[0]
    broken = dataclasses.replace(task.candidate, name="none")
    record = dataclasses.replace(task, candidate=broken).run()
    assert record["status"] == "failed"
    assert "none" in record["reason"]


def test_seeds_play_parts_of_the_recording(suite):
    """Part n begins where part n - 1 ended, at time 0, and the parts begin anew after the last."""
    scenario = suite.scenarios[0].scenario
    parts = [scheduler.traffic(scenario, seed) for seed in (0, 1, 19366 // 20)]
    assert [part.num_requests for part in parts] == [20, 20, 20]
    assert [part.arrival_s[0] for part in parts] == [0.0, 0.0, 0.0]
    whole = scheduler.traffic(dataclasses.replace(scenario, requests=0), 0)
    assert np.array_equal(parts[1].prompt_tokens, whole.prompt_tokens[20:40])
    assert np.array_equal(parts[2].arrival_s, parts[0].arrival_s)


def test_faults_are_drawn_for_all_modes_alike(faulty):
    """Every mode gets the same one fault; one that is not simulated is a failed record."""
    result = {task.candidate.name: task.run() for task in tasks(faulty)}
    ok = {name: record for name, record in result.items() if record["status"] == "ok"}
    assert {"restart-the-world", "failover", "shrink"} <= set(ok)
    first, *others = ok.values()
    assert len(first["faults"]) == 1
    assert all(record["faults"] == first["faults"] for record in others)
    assert all(record["scores"]["recovery_s"] > 10 for record in ok.values())
    again = ok["restart-the-world"]["scores"], ok["shrink"]["scores"]
    assert again[0]["recomputed_tokens"] > again[1]["recomputed_tokens"]


def test_the_seed_reaches_simulation_and_schedulers(suite, monkeypatch):
    """The simulation and its random schedulers have the seed of the task."""
    seen = {}

    def simulate(scenario, *, seed, trace):
        seen.update(scenario=scenario, seed=seed)
        raise RuntimeError("far enough")

    monkeypatch.setattr(scheduler, "simulate", simulate)
    (task,) = (
        task
        for task in tasks(dataclasses.replace(suite, seeds=(7, 8)))
        if (task.candidate.name, task.candidate.seed) == ("power-of-two", 8)
    )
    assert task.run()["reason"] == "RuntimeError: far enough"
    assert seen["seed"] == 8
    assert seen["scenario"].decode == {"name": "power-of-two", "seed": 8}

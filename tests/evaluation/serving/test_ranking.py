"""Schedulers are ranked by goodput, one exchanged at a time."""

import dataclasses

import pytest
from rich.console import Console

from evaluation import suite as suites
from evaluation.serving import ranking, ranking_table
from evaluation.sweep import run


@pytest.fixture(scope="module")
def suite():
    """The bundled suite, its first scenario cut to 20 requests."""
    whole = suites.load_serving("serving")
    name, first = next(iter(whole.scenarios.items()))
    return ranking.ServingSuite(whole.id, {name: dataclasses.replace(first, requests=20)})


def test_every_scheduler_has_a_task(suite):
    """All that are registered play but the references, each in its own stage."""
    todo = ranking.tasks(suite)
    assert {task.stage for task in todo} == set(ranking.STAGES)
    assert {task.name for task in todo if task.stage == "batch"} == {
        *ranking.STAGES["batch"].available()
    }
    assert not {task.name for task in todo} & ranking.LEFT_OUT


def test_records_are_kept_and_taken_up(suite, tmp_path):
    """A second run takes the records of the first."""
    todo = ranking.tasks(suite)[:2]
    seen = []
    one = run(todo, tmp_path, on_record=lambda record, reused: seen.append(reused))
    two = run(todo, tmp_path, on_record=lambda record, reused: seen.append(reused))
    assert seen == [False, False, True, True]
    assert [record["scores"] for record in one] == [record["scores"] for record in two]
    assert all(record["status"] == "ok" for record in one)


def test_a_failure_is_a_record(suite):
    """A scheduler that fails is shown with its reason and not ranked."""
    task = ranking.tasks(suite)[0]
    broken = dataclasses.replace(task, scenario=dataclasses.replace(task.scenario, batch="none"))
    record = broken.run()
    assert record["status"] == "failed"
    stages, failures = ranking_table.rank([record])
    assert not stages
    assert "none" in failures[0][-1]


def test_the_best_goodput_is_first(capsys):
    """Goodput decides, then the tail of TTFT."""

    def record(name, goodput, tail):
        scores = {key: 1.0 for _, key, _, _ in ranking_table.COLUMNS}
        scores |= {"goodput": goodput, "ttft_p99_s": tail}
        return {"stage": "job", "solver": name, "status": "ok", "scores": scores}

    found = [record("slow", 2.0, 9.0), record("poor", 1.0, 1.0), record("good", 2.0, 3.0)]
    stages, _ = ranking_table.rank(found)
    assert [name for name, _ in stages["job"]] == ["good", "slow", "poor"]
    assert ranking_table.render(found, "title", Console(width=120))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id = "a"\nkind = "serving"\nscenario = 3\n', "a serving suite has"),
        ('id = "a"\nkind = "serving"\n[[scenario]]\nid = "b"\nserving = "no-such"\n', "no-such"),
        ('id = "a"\nkind = "serving"\n[[scenario]]\nid = "b"\nserved = "x"\n', "served"),
    ],
)
def test_bad_suites_are_named(tmp_path, text, message):
    """What is wrong with a suite is said."""
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        suites.load_serving(path)

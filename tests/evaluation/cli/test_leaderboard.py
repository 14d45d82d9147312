"""Leaderboards of a folder of records, without running anything."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.candidates.candidate import Candidate
from evaluation.cli.app import app
from evaluation.kinds import suite
from evaluation.kinds.task import tasks
from evaluation.records import sweep
from tests.evaluation.leaderboard.made import scheduler

SUITE = """
id = "{name}-v1"
[[scenario]]
id = "ep16"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
layers = 2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Run two solvers on two suites into one folder."""
    folder = tmp_path_factory.mktemp("records")
    for name in ("first", "second"):
        path = folder / f"{name}.toml"
        path.write_text(SUITE.format(name=name))
        todo = tasks(suite.load(path), [Candidate("greedy"), Candidate("contiguous")])
        sweep.run(todo, folder / "records")
    return folder / "records"


def test_each_suite_has_its_own_table(folder):
    """Records of one folder compare within their suites alone."""
    said = CliRunner().invoke(app, ["leaderboard", "show", str(folder)])
    assert said.exit_code == 0, said.output
    assert said.stdout.index("first-v1 · 2 records") < said.stdout.index("second-v1 · 2 records")
    assert said.stdout.count(" greedy ") == said.stdout.count(" contiguous ") == 2


def test_rankings_are_json_too(folder):
    """With what `podlab bench --json` prints for one suite."""
    said = CliRunner().invoke(app, ["leaderboard", "show", str(folder), "--json"])
    found = json.loads(said.stdout)
    assert [one["suite"] for one in found] == ["first-v1", "second-v1"]
    assert {row["name"] for row in found[0]["rows"]} == {"greedy", "contiguous"}


def test_schedulers_and_recoveries_are_shown_too(tmp_path):
    """Stage by stage, as a table and as JSON."""
    for kind in ("serving", "faults"):
        for name, goodput in (("plain", 1.0), ("new", 2.0)):
            record = scheduler(name, goodput, kind=kind, suite=f"{kind}-v1", schema=2)
            (tmp_path / f"{kind}-{name}.json").write_text(json.dumps(record))
    table = CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)])
    assert table.exit_code == 0, table.output
    assert table.stdout.count("2.000") == 2
    text = CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path), "--json"]).stdout
    found = {suite["suite"]: suite["stages"]["job"]["rows"] for suite in json.loads(text)}
    assert set(found) == {"serving-v1", "faults-v1"}
    assert [row["ratio"] for row in found["faults-v1"]] == [2.0, 1.0]


def test_no_records_are_said(tmp_path):
    """An empty folder, and a file that is none."""
    assert CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)]).exit_code == 2
    (tmp_path / "a.json").write_text("{}")
    said = CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)])
    assert said.exit_code == 2
    assert "record schema None" in said.output

"""Leaderboards of a folder of records, without running anything."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.kinds import KINDS, suite_file
from evaluation.kinds.suite_candidates import suite_candidates
from evaluation.kinds.task import tasks
from evaluation.records import sweep

TRACE = """
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
layers = 2
"""
SIZE = "num_ranks = 4\nslots_per_rank = 3\nlayers = 1\n"
#: Kind to the TOML of its suite without id and kind; the [[scenario]] table is last.
SUITES = {
    "solver": f"[[scenario]]\nid = 'a'\n{TRACE}",
    "fit": "[[scenario]]\nid = 'a'\nmodel = 'olmoe-1b-7b'\nlaw = 'zipf'\nlayers = 1\n"
    "num_ranks = 16\nslots_per_rank = 5\n",
    "forecast": f"[[scenario]]\nid = 'a'\n{TRACE}",
    "competition": f"[[scenario]]\nid = 'a'\niterations = 40\nexperts = 8\n{SIZE}",
    "serving": "seeds = [0, 1]\nreference = {batch = 'fcfs'}\n[[scenario]]\nid = 'a'\n"
    "serving = 'azure-busy'\nstages = ['batch']\nrequests = 5\n",
    "faults": "seeds = [0, 1]\nreference = {recovery = 'failover'}\n[[scenario]]\nid = 'a'\n"
    "serving = 'small-2p2d'\nstages = ['recovery']\nrequests = 100\nmtbf_s = {die = 20.0}\n",
}
#: Kind to two candidates in its table. The scenarios of the last two kinds list their candidates.
NAMES = {
    "solver": ["greedy", "contiguous"],
    "fit": ["greedy", "contiguous"],
    "forecast": ["last", "mean"],
    "competition": ["greedy", "incremental"],
    "serving": ["fcfs", "chunked"],
    "faults": ["failover", "shrink"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Run a small suite of every kind into one folder."""
    folder = tmp_path_factory.mktemp("records")
    for kind, text in SUITES.items():
        path = folder / f"{kind}.toml"
        path.write_text(f'id = "{kind}-toy"\nkind = "{kind}"\n{text}')
        chosen = suite_file.load(path)
        sweep.run(tasks(chosen, suite_candidates(chosen, NAMES[kind])), folder / "records")
    return folder / "records"


def shown(folder, *options):
    """Return what the command prints."""
    answer = CliRunner().invoke(app, ["leaderboard", "show", str(folder), *options])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_every_kind_has_a_suite_here():
    """So that a new one is shown, too."""
    assert set(SUITES) == set(KINDS)


@pytest.mark.parametrize("kind", SUITES)
def test_records_of_each_kind_are_a_table(folder, kind):
    """Its own columns and candidates, from a folder of that suite alone."""
    text = shown(folder / f"{kind}-toy")
    title, table = text.split("\n", 1)
    assert title.startswith(f"podlab · {kind}-toy ·")
    for name in NAMES[kind]:
        assert f" {name} " in table


def test_suites_of_several_kinds_have_a_table_each(folder):
    """Records of one folder compare within their suites alone."""
    titles = [line for line in shown(folder).splitlines() if line.startswith("podlab · ")]
    assert [title.split()[2] for title in titles] == [f"{kind}-toy" for kind in sorted(SUITES)]


def test_rankings_are_json_too(folder):
    """One object a suite, whatever its kind: who is ranked by which score."""
    rankings = json.loads(shown(folder, "--json"))
    assert [one["suite"] for one in rankings] == [f"{kind}-toy" for kind in sorted(SUITES)]
    for ranking in rankings:
        rows = ranking.get("rows") or [
            row for stage in ranking["stages"].values() for row in stage["rows"]
        ]
        assert set(NAMES[ranking["kind"]]) <= {row["name"] for row in rows}
        assert ranking["measure"]


def test_no_records_are_said(tmp_path):
    """An empty folder, and a file that is none."""
    assert CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)]).exit_code == 2
    (tmp_path / "a.json").write_text("{}")
    result = CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)])
    assert result.exit_code == 2
    assert "record schema None" in result.output


def test_an_unknown_kind_is_named(folder, tmp_path):
    """A record of a later podlab, say."""
    (path,) = (folder / "fit-toy").glob("a--greedy--*.json")
    (tmp_path / "a.json").write_text(path.read_text().replace('"kind": "fit"', '"kind": "novel"'))
    result = CliRunner().invoke(app, ["leaderboard", "show", str(tmp_path)])
    assert result.exit_code == 2
    assert "kind = 'novel' is not one of" in result.output

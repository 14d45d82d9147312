"""A new kind of suite is one file and one line of the registry."""

import json

import pytest
from typer.testing import CliRunner

from evaluation.cli.app import app
from evaluation.kinds import KINDS, named

SUITE = """
id = "toy-v1"
kind = "bids"
[[scenario]]
id = "low"
ceiling = 4.0
[[scenario]]
id = "high"
ceiling = 9.0
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Register the kind of tests/evaluation/kinds/toy.py; return a function that runs its suite.

    In this process: another one would not know the kind.
    """
    monkeypatch.setitem(KINDS, "bids", "tests.evaluation.kinds.toy:BIDS")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy.toml").write_text(SUITE)
    call = ("bench", "--suite", "toy.toml", "--out", "records", "--jobs", "1")
    return lambda *options: podlab(*call, *options)


def podlab(*arguments):
    """Run a command and return its standard output."""
    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_its_table_has_its_columns(bench):
    """Bold has (0 + 8) / 2 and wastes half of its numbers, cautious (2 + 2) / 2 and none."""
    title, table = bench().split("counted  wasted")
    words = "podlab · toy-v1 · mean of 2 scenarios, best counted first"
    assert title.split() == words.split()
    assert [line.split() for line in table.splitlines()[1:4]] == [
        ["#", "bidder", "share"],
        ["1", "bold", "4.00", "50%"],
        ["2", "cautious", "2.00", "0%"],
    ]


def test_its_json_names_kind_and_measure(bench):
    """As for any kind, with all scores of each row."""
    ranking = json.loads(bench("--json"))
    assert (ranking["kind"], ranking["measure"]) == ("bids", "counted")
    assert [row["scores"]["wasted"] for row in ranking["rows"]] == [0.5, 0.0]


def test_its_records_are_shown_and_reported(bench):
    """The leaderboard of a folder and the report ask the kind as well."""
    bench()
    assert "bold" in podlab("leaderboard", "show", "records")
    podlab("report", "records", "--out", "site")
    with open("site/index.html", encoding="utf-8") as file:
        page = file.read()
    assert "bidders by counted" in page
    assert "wasted share" in page


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_complete(name):
    """Its name is that of the registry, and no two columns of it share a heading or a key."""
    kind = named(name)
    assert kind.name == name
    assert kind.title
    for values in (
        [column.title for column in kind.display.columns],
        [column.key for column in kind.display.columns],
    ):
        assert len(set(values)) == len(values)


def test_an_unknown_kind_is_named():
    """With the kinds that there are."""
    with pytest.raises(ValueError, match="kind = 'weather' is not one of solver, fit, forecast"):
        named("weather")

"""What docs/leaderboard.md says of suites, JSON and records is so."""

import dataclasses
import re
from pathlib import Path

import pytest

from evaluation.candidates.candidate import Candidate
from evaluation.kinds import suite_file
from evaluation.kinds.task import SuiteTask
from evaluation.leaderboard import Ranking, RankingRow
from evaluation.replay.scenario import Scenario
from tools.document_kinds import documented

TEXT = (Path(__file__).parent.parent / "docs" / "leaderboard.md").read_text(encoding="utf-8")


def section(heading):
    """Return the text below a heading, up to the next one of any level."""
    return re.split(r"^## ", TEXT.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]


def test_the_example_suite_is_one(tmp_path):
    """It loads, and could run."""
    (tmp_path / "mine.toml").write_text(re.search(r"```toml\n(.*?)```", TEXT, re.DOTALL)[1])
    found = suite_file.load(tmp_path / "mine.toml")
    found.scenarios[0].check()
    assert found.scenarios[0].split == (0.5, 0.1, 0.4)


@pytest.mark.parametrize("name", suite_file.available())
def test_every_suite_is_listed_with_its_kind_and_budget(name):
    """And states its seeds."""
    (row,) = re.findall(rf"^\| `{name}` \| (\w+) \| .* \| (.*) \|$", TEXT, re.MULTILINE)
    found = suite_file.load(name)
    assert row == (found.kind, f"{found.budget_s:g} s")
    assert found.seeds


def test_tables_are_those_of_the_kinds():
    """As tools/document_kinds.py writes them."""
    assert documented(TEXT) == TEXT


def test_every_key_of_the_json_is_described():
    """Of the ranking, and of its rows."""
    table = section("`podlab bench --json`")
    for kind in (Ranking, RankingRow):
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in table


def test_every_field_of_a_record_is_described():
    """By one that was just made."""
    scenario = Scenario("d", ("ar1-drift",), "deepseek-v3", 32, 9, 1, steps=3, layers=2)
    record = SuiteTask("s", "solver", scenario, Candidate("greedy")).run()
    table = section("Records")
    for key in set(record) - {"deployment"}:
        assert f"`{key}`" in table, key
    for key in ("windows", "breakdown", "rank_load"):
        for name in record[key]:
            assert f"`{name}`" in table, name

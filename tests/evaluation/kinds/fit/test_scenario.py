"""Scenarios of matrices are read strictly."""

import pytest

from evaluation.kinds import suite_file
from evaluation.kinds.fit.scenario import FitScenario

GOOD = """
id = "mine-v1"
kind = "fit"
[anytime.ilp]
budget = [0.1]
[[scenario]]
id = "one"
model = "deepseek-v3"
law = ["uniform", "zipf"]
num_ranks = 32
slots_per_rank = 9
"""


def loaded(tmp_path, *change):
    """Read the suite, with a change."""
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change) if change else GOOD)
    return suite_file.load(path)


def test_a_list_of_laws_is_a_scenario_each(tmp_path):
    """The law is in the id, and is the family."""
    result = loaded(tmp_path)
    assert result.scenario_ids == ["one-uniform", "one-zipf"]
    assert [one.family for one in result.scenarios] == ["uniform", "zipf"]
    assert result.scenarios[0].load(0).shape == (58, 256)
    assert result.options == {"anytime": {"ilp": {"budget": [0.1]}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("slots_per_rank", "slots"), "scenario 'one': unknown key 'slots'; did you mean"),
        (('["uniform", "zipf"]', '["zipf", "zipf"]'), "names one twice"),
        (('["uniform", "zipf"]', "3"), "law = 3; give a name"),
        (("budget = [0.1]", "budget = 0.1"), "anytime.ilp.budget = 0.1; give a list"),
        (("budget = [0.1]", "bugdet = [0.1]"), "no parameter 'bugdet'"),
        (("[anytime.ilp]\nbudget = [0.1]", "anytime = 3"), "anytime = 3; give tables"),
        (
            ('kind = "fit"', 'kind = "solver"'),
            "anytime: a suite of kind solver",
        ),
    ],
)
def test_broken_suites_are_named(tmp_path, change, message):
    """The message has file, scenario, key and fix."""
    with pytest.raises(ValueError, match=f"mine.toml: .*{message}"):
        loaded(tmp_path, *change)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"law": "zip"}, "law = 'zip' is not one of"),
        ({"model": "deepseek-v9"}, "unknown preset 'deepseek-v9'"),
        ({"slots_per_rank": 7}, "224 slots < 256 experts"),
        ({"dispatcher": "evn"}, "unknown dispatcher 'evn'"),
    ],
)
def test_impossible_scenarios_are_named(changes, message):
    """Before anything runs."""
    good = {"model": "deepseek-v3", "law": "zipf", "num_ranks": 32, "slots_per_rank": 9}
    with pytest.raises(ValueError, match=f"scenario 'x': .*{message}"):
        FitScenario(id="x", **{**good, **changes}).check()


def test_matrices_are_no_traces():
    """Commands that need a trace say so."""
    with pytest.raises(ValueError, match="fit-v1 replays neither traces nor workloads"):
        suite_file.first_of(suite_file.load("fit"), None)

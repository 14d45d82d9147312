"""Schedulers relative to a reference on the same traffic, stage by stage."""

import json

import numpy as np
import pytest

from evaluation.kinds.scheduler.scheduler import GOODPUT
from evaluation.leaderboard import rank, rank_stages
from evaluation.leaderboard.stages import scenarios, stages_as_dict, unranked
from tests.evaluation.leaderboard.made import scheduler as record


def runs(name, by_scenario):
    """Return the records of one scheduler, goodputs by scenario and seed."""
    return [
        record(name, goodput, scenario, seed)
        for scenario, goodputs in by_scenario.items()
        for seed, goodput in enumerate(goodputs)
    ]


PLAIN = runs("plain", {"small": [1.0, 2.0], "large": [100.0, 400.0]})


def test_no_scenario_hides_another():
    """Twice the goodput where it is small counts as much as half where it is large."""
    result = rank([*PLAIN, *runs("new", {"small": [2.0, 4.0], "large": [50.0, 200.0]})], GOODPUT)
    assert {row.name: row.score for row in result.rows} == {
        "plain": 1.0,
        "new": pytest.approx(1.0),
    }
    assert scenarios(result) == ("large", "small")


def test_ratios_take_out_what_a_seed_does_to_all():
    """A constant gain of 1.1 is certain, however much goodput differs between seeds."""
    result = rank([*PLAIN, *runs("new", {"small": [1.1, 2.2], "large": [110.0, 440.0]})], GOODPUT)
    best, reference = result.rows
    assert (best.name, best.rank, reference.name, reference.rank) == ("new", 1, "plain", 2)
    assert best.interval == (pytest.approx(1.1), pytest.approx(1.1))
    assert (reference.score, reference.interval) == (1.0, (1.0, 1.0))


def test_what_varies_more_than_it_gains_shares_the_rank():
    """A gain of 1.3 with one seed and a loss of 0.8 with the other is no difference."""
    result = rank([*PLAIN, *runs("new", {"small": [1.3, 1.6], "large": [130.0, 320.0]})], GOODPUT)
    assert [row.rank for row in result.rows] == [1, 1]
    new = next(row for row in result.rows if row.name == "new")
    assert new.score == pytest.approx(np.sqrt(1.3 * 0.8))
    assert new.interval[0] < 1 < new.interval[1]


def test_scenarios_count_alike_however_many_seeds():
    """The mean is over scenarios, not over runs: sqrt(4 · 1)."""
    plain = runs("plain", {"a": [1.0] * 2, "b": [1.0] * 6})
    result = rank([*plain, *runs("new", {"a": [4.0] * 2, "b": [1.0] * 6})], GOODPUT)
    assert result.rows[0].score == pytest.approx(2.0)
    assert result.rows[0].interval[0] == pytest.approx(2.0)


def test_one_seed_has_no_interval():
    """From a single seed anything may follow: all share a rank."""
    result = rank([record("plain", 1.0), record("new", 9.0)], GOODPUT)
    assert [(row.rank, row.name, row.interval) for row in result.rows] == [
        (1, "new", None),
        (1, "plain", None),
    ]


def test_the_gap_to_the_best_is_a_fraction_of_goodput():
    """The reference has half the goodput of the best on each trace."""
    result = rank([*PLAIN, *runs("new", {"small": [2.0, 4.0], "large": [200.0, 800.0]})], GOODPUT)
    assert [row.gap for row in result.rows] == [0.0, pytest.approx(0.5)]


def lacking(**scores):
    """Return records of the reference, and of a scheduler with other scores on one seed."""
    bad = record("new", 1.0, seed=1)
    bad["scores"] = bad["scores"] | scores
    return [record("plain", 1.0), record("plain", 1.0, seed=1), record("new", 1.0), bad]


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({"goodput": 0.0}, "no request kept the SLO (a, seed 1)"),
        ({"goodput": -1.0}, "no request kept the SLO (a, seed 1)"),
        ({"goodput": np.inf}, "lacks finite numbers of which goodput_ratio is made (a, seed 1)"),
        ({"ttft_p99_s": None}, "no request has a first token (a, seed 1)"),
        ({"tpot_p99_s": None}, "no request has a time per output token (a, seed 1)"),
    ],
)
def test_a_run_without_a_score_is_not_ranked(scores, reason):
    """The scheduler is named with the one reason, and the others are ranked."""
    result = rank(lacking(**scores), GOODPUT)
    assert [row.name for row in result.rows] == ["plain"]
    assert unranked(result) == [("new", reason)]


def test_other_scores_may_lack():
    """A score that only some runs have has no mean, and the scheduler is ranked."""
    result = rank(lacking(share=None), GOODPUT)
    new = next(row for row in result.rows if row.name == "new")
    assert new.scores["share"] is None
    assert new.scores["goodput"] == 1.0


def test_failures_and_missing_runs_are_not_ranked():
    """One that failed or did not run everywhere is named once for all its runs."""
    failed = [
        record("bad", 1.0, scenario, seed, status="failed", reason="ValueError: no")
        for scenario in ("small", "large")
        for seed in (0, 1)
    ]
    result = rank([*PLAIN, *failed, *runs("late", {"small": [1.0, 1.0]})], GOODPUT)
    assert [row.name for row in result.rows] == ["plain"]
    assert unranked(result) == [
        ("bad", "ValueError: no (large, seed 0, and 3 more)"),
        ("late", "ran on 2 of 4 traces (small, seed 0, and 1 more)"),
    ]


@pytest.mark.parametrize("reference", [[], [record("plain", 0.0), record("plain", 1.0, seed=1)]])
def test_nothing_is_ranked_without_its_reference(reference):
    """Where the reference lacks a goodput all are below the table, with that reason."""
    result = rank([*reference, record("new", 1.0), record("new", 1.0, seed=1)], GOODPUT)
    assert not result.rows
    assert "nothing to compare with: reference plain" in dict(unranked(result))["new"]


def test_stages_are_ranked_by_themselves():
    """Goodput of a thousand at one stage does not outrank one of another: each has a ranking."""
    records = [
        record(name, factor * size, seed=seed, stage=stage)
        for stage, size in (("job", 1.0), ("batch", 1000.0))
        for name, factor in (("plain", 1.0), ("good", 1.5))
        for seed in (0, 1)
    ]
    result = rank_stages(records, GOODPUT)
    assert {stage: [row.name for row in one.rows] for stage, one in result.items()} == {
        "job": ["good", "plain"],
        "batch": ["good", "plain"],
    }
    with pytest.raises(ValueError, match="records of stage batch, job: rank one stage at a time"):
        rank(records, GOODPUT)


def test_no_records_no_ranking():
    """Nothing is ranked where there is nothing."""
    assert rank_stages([], GOODPUT) == {}


def test_a_ranking_is_json():
    """It holds no numbers that JSON does not have; what is not ranked keeps its reason."""
    failed = record("bad", 0.0, status="failed", reason="ValueError: no")
    one_seed = [record("plain", 1.0), record("new", 2.0), failed]
    text = json.dumps(stages_as_dict(rank_stages(one_seed, GOODPUT)), allow_nan=False)
    stage = json.loads(text)["job"]
    assert [(row["name"], row["ratio"], row["low"]) for row in stage["rows"]] == [
        ("new", 2.0, None),
        ("plain", 1.0, None),
    ]
    assert stage["unranked"] == [{"name": "bad", "reason": "ValueError: no (a, seed 0)"}]

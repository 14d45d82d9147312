"""Schedulers beside a reference on the same seeds."""

import json
import math

import pytest

from evaluation.leaderboard.paired import ranked


def record(name, goodput, scenario="a", seed=0, **other):
    """Return the record of one run."""
    scores = {"goodput": goodput, "share": 0.5, "ttft_p99_s": 1.0, "tpot_p99_s": 0.1}
    return {
        "kind": "serving",
        "stage": "job",
        "solver": name,
        "reference": "plain",
        "scenario": {"id": scenario},
        "seed": seed,
        "status": "ok",
        "scores": scores,
    } | other


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
    found = ranked([*PLAIN, *runs("new", {"small": [2.0, 4.0], "large": [50.0, 200.0]})])["job"]
    assert {row.name: row.ratio for row in found.rows} == {
        "plain": pytest.approx(1.0),
        "new": pytest.approx(1.0),
    }
    assert found.scenarios == ("large", "small")


def test_pairs_take_out_what_a_seed_does_to_all():
    """A constant gain is certain, however much goodput differs between seeds."""
    found = ranked([*PLAIN, *runs("new", {"small": [1.1, 2.2], "large": [110.0, 440.0]})])["job"]
    best, reference = found.rows
    assert (best.name, best.rank, reference.name, reference.rank) == ("new", 1, "plain", 2)
    assert best.low == pytest.approx(1.1)
    assert best.high == pytest.approx(1.1)
    assert (reference.low, reference.high) == (pytest.approx(1.0), pytest.approx(1.0))


def test_what_varies_more_than_it_gains_shares_the_rank():
    """A gain with one seed and a loss with the other is no difference."""
    found = ranked([*PLAIN, *runs("new", {"small": [1.3, 1.6], "large": [130.0, 320.0]})])["job"]
    assert [row.rank for row in found.rows] == [1, 1]
    new = next(row for row in found.rows if row.name == "new")
    assert new.ratio == pytest.approx(math.sqrt(1.3 * 0.8))
    assert new.low < 1 < new.high


def test_scenarios_count_alike_however_many_seeds():
    """The mean is over scenarios, not over runs."""
    plain = runs("plain", {"a": [1.0] * 2, "b": [1.0] * 6})
    found = ranked([*plain, *runs("new", {"a": [4.0] * 2, "b": [1.0] * 6})])["job"]
    assert found.rows[0].ratio == pytest.approx(2.0)
    assert found.rows[0].low == pytest.approx(2.0)


def test_one_seed_has_no_end():
    """From a single seed anything may follow: all share a rank."""
    found = ranked([record("plain", 1.0), record("new", 9.0)])["job"]
    assert [row.rank for row in found.rows] == [1, 1]
    assert [row.name for row in found.rows] == ["new", "plain"]
    assert found.rows[0].high == math.inf


def lacking(**scores):
    """Return records of the reference, and of a scheduler with other scores on one seed."""
    bad = record("new", 1.0, seed=1)
    bad["scores"] = bad["scores"] | scores
    return [record("plain", 1.0), record("plain", 1.0, seed=1), record("new", 1.0), bad]


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({"goodput": 0.0}, "no request kept the SLO, on a (seed 1)"),
        ({"ttft_p99_s": None}, "no request has a first token"),
        ({"tpot_p99_s": None}, "no request has a time per output token"),
    ],
)
def test_a_run_without_a_score_is_not_ranked(scores, reason):
    """The scheduler is named with the reason, and the others are ranked."""
    found = ranked(lacking(**scores))["job"]
    assert [row.name for row in found.rows] == ["plain"]
    ((name, why),) = found.unranked
    assert name == "new"
    assert reason in why


def test_other_scores_may_lack():
    """What only some runs have has no mean, and the scheduler is ranked."""
    found = ranked(lacking(share=None))["job"]
    new = next(row for row in found.rows if row.name == "new")
    assert new.means["share"] is None
    assert new.means["goodput"] == 1.0


def test_failures_and_missing_runs_are_not_ranked():
    """One that failed or did not play everywhere is said to, once for all its runs."""
    failed = [
        record("bad", 1.0, scenario, seed, status="failed", reason="ValueError: no")
        for scenario in ("small", "large")
        for seed in (0, 1)
    ]
    found = ranked([*PLAIN, *failed, *runs("late", {"small": [1.0, 1.0]})])["job"]
    assert [row.name for row in found.rows] == ["plain"]
    reasons = dict(found.unranked)
    assert reasons["bad"] == "ValueError: no, on large (seed 0) and 3 more"
    assert reasons["late"] == "not run, on large (seed 0) and 1 more"


@pytest.mark.parametrize("reference", [[], [record("plain", 0.0), record("plain", 1.0, seed=1)]])
def test_nothing_is_ranked_without_its_reference(reference):
    """Where the reference lacks a goodput all are below the table, and say so."""
    found = ranked([*reference, record("new", 1.0), record("new", 1.0, seed=1)])["job"]
    assert not found.rows
    assert "nothing to compare with: reference plain" in dict(found.unranked)["new"]


def test_no_records_no_ranking():
    """Nothing found is nothing ranked."""
    assert ranked([]) == {}


def test_a_ranking_is_json():
    """Without numbers that JSON does not have; what is not ranked keeps its reason."""
    failed = record("bad", 0.0, status="failed", reason="ValueError: no")
    one_seed = [record("plain", 1.0), record("new", 2.0), failed]
    told = json.loads(json.dumps(ranked(one_seed)["job"].as_dict(), allow_nan=False))
    assert [(row["name"], row["ratio"], row["low"]) for row in told["rows"]] == [
        ("new", 2.0, None),
        ("plain", 1.0, None),
    ]
    assert told["unranked"][0]["name"] == "bad"
    assert "ValueError: no" in told["unranked"][0]["reason"]

"""The ranking is a pure function of records."""

import json
import time

import numpy as np
import pytest

from evaluation.kinds.solver import SOLVER
from evaluation.leaderboard import Ranking, rank
from tests.evaluation.leaderboard.made import failed, record

RANDOM = np.random.default_rng(0)
LUCK = 0.1 * RANDOM.random(24)


def ranking(records, wanted=None) -> Ranking:
    """Return the ranking of solvers."""
    return rank(records, SOLVER.measure, wanted)


def names(found):
    """Return rank, name and dispatcher of the rows."""
    return [(row.rank, row.name, row.dispatcher) for row in found.rows]


def test_ranked_by_the_mean_over_scenarios_of_sums():
    """Not by a mean of ratios: a long window counts for more."""
    long = record("a", [0.5, 8.0])
    long["windows"]["step_s"] = [0.75, 9.75]
    found = ranking(
        [long, record("a", 0.9, "two"), record("b", [0.7, 0.7]), record("b", 0.8, "two")]
    )
    assert [(row.name, row.score) for row in found.rows] == [
        ("a", pytest.approx((8.5 / 11 + 0.9) / 2)),
        ("b", pytest.approx(0.75)),
    ]
    assert found.measure == "efficiency"


def test_means_over_runs_then_scenarios():
    """A candidate that draws lots is its mean over seeds; moved bytes add up over scenarios."""
    runs = [record("a", 0.6, seed=0), record("a", 0.8, seed=1), record("a", 0.5, "two")]
    (row,) = ranking(runs).rows
    assert row.score == pytest.approx(0.6)
    assert row.scores["efficiency"] == pytest.approx(0.6)
    assert row.scores["moved_bytes"] == 1.0
    assert row.seeds == (0, 1)


def test_what_luck_of_the_traffic_does_to_all_does_not_make_ranks_equal():
    """Windows are paired: a small difference everywhere is told from a large one of the traffic."""
    better, worse = record("a", 0.7 + LUCK), record("b", 0.69 + LUCK)
    found = ranking([worse, better])
    assert names(found) == [(1, "a", "even"), (2, "b", "even")]
    (low, high), (_, other) = (row.interval for row in found.rows)
    assert high - low > 0.01
    assert low < other


def test_a_difference_that_comes_and_goes_shares_the_rank():
    """Here the same mean difference is luck."""
    wobble = 0.2 * RANDOM.standard_normal(24)
    wobble -= wobble.mean()
    found = ranking([record("a", 0.7 + LUCK), record("b", 0.69 + LUCK + wobble)])
    assert [row.rank for row in found.rows] == [1, 1]


def separated(gain, repetitions=40):
    """Return how often two solvers get two ranks; the second is better by ``gain`` in truth.

    Each window has a common part, 0.5 ± 0.1, and a part of each solver, ± 0.02.
    """
    random = np.random.default_rng(5)
    count = 0
    for _ in range(repetitions):
        common = 0.5 + 0.1 * random.standard_normal(24)
        own = 0.02 * random.standard_normal((2, 24))
        one, two = common + own + [[0.0], [gain]]
        found = ranking([record("a", one), record("b", two)])
        count += len({row.rank for row in found.rows}) == 2
    return count / repetitions


def test_equal_solvers_are_seldom_separated():
    """In 5 of 100 tables, which scatters by √(0.05 · 0.95 / 200) over 200 tables."""
    assert separated(0.0, 200) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_a_large_difference_is_always_separated():
    """It is 0.05, seven times the standard error of a difference: 0.02 · sqrt(2 / 24) ≈ 0.006."""
    assert separated(0.05) == 1.0


def test_one_window_gives_no_interval_and_one_rank():
    """Nothing was measured twice, so nothing is told apart."""
    found = ranking([record("a", 0.9), record("b", 0.1)])
    assert [(row.rank, row.interval) for row in found.rows] == [(1, None), (1, None)]


def test_a_failure_costs_the_row_and_is_named():
    """Failed or infeasible anywhere: below the table, with the reason, and not scored."""
    found = ranking(
        [
            record("a", 0.9),
            failed("a", "two", status="infeasible"),
            record("b", 0.1),
            record("b", 0.2, "two"),
            record("a", 0.3, dispatcher="optimal"),
        ]
    )
    assert [(row.name, row.dispatcher) for row in found.rows] == [("a", "optimal"), ("b", "even")]
    assert found.failures == [
        {
            "name": "a",
            "dispatcher": "even",
            "scenario": "two",
            "seed": 0,
            "status": "infeasible",
            "reason": "ValueError: no",
        }
    ]


def test_what_could_not_be_made_costs_the_row_too():
    """Its record has no parameters, those of the other scenarios have."""
    runs = [record("a", 0.9, parameters={"x": 1}), failed("a", "two"), record("b", 0.1)]
    assert [row.name for row in ranking([*runs, record("b", 0.1, "two")]).rows] == ["b"]


def test_who_did_not_run_everywhere_stands_apart():
    """On traces of the others, or on scenarios of the suite that nobody ran."""
    runs = [record("a", 0.9), record("b", 0.1), record("b", 0.2, "two")]
    found = ranking(runs)
    assert [row.name for row in found.rows] == ["b"]
    assert [(one["name"], one["reason"]) for one in found.apart] == [("a", "ran on 1 of 2 traces")]
    assert not ranking(runs, {("one", "even"), ("two", "even"), ("three", "even")}).rows


def test_two_of_one_name_say_what_differs():
    """By their parameters."""
    runs = [record("a", 0.9, parameters={"x": 1, "seed": 0}), record("a", 0.8, parameters={"x": 2})]
    assert [row.name for row in ranking(runs).rows] == ['a ({"x": 1})', 'a ({"x": 2})']


def test_gap_cost_and_fronts():
    """The best has no gap; the cheap one is on the front of cost, the costly one of quality."""
    dear = record("dear", 0.8, family="f", cost={"ratio": 100.0})
    cheap = record("cheap", 0.6, family="f", cost={"ratio": 2.0})
    bad = record("bad", 0.5, family="f", cost={"ratio": 50.0})
    bad["scores"]["moved_bytes"] = 0.9
    rows = {row.name: row for row in ranking([dear, cheap, bad]).rows}
    assert rows["dear"].gap == 0
    assert rows["cheap"].gaps == {"f": pytest.approx(0.25)}
    assert rows["dear"].cost_ratio == pytest.approx(100)
    assert rows["dear"].fronts == ("quality-cost", "quality-bytes", "all")
    assert rows["cheap"].fronts == ("quality-cost", "all")
    assert rows["bad"].fronts == ()


def test_kinds_do_not_mix():
    """The error names the kinds."""
    with pytest.raises(ValueError, match="records of kind serving, solver: rank one kind"):
        ranking([record("a", 0.5), record("b", 0.5, kind="serving")])


def test_nothing_is_an_empty_ranking():
    """And goes into JSON, like every other."""
    assert ranking([]).rows == []
    found = ranking([record("a", 0.5 + LUCK), failed("b")])
    again = json.loads(json.dumps(found.as_dict()))
    assert again["rows"][0]["name"] == "a"
    assert again["groups"] == [
        {
            "suite": "toy-v1",
            "scenario": "one",
            "trace_seed": None,
            "trace_hash": "trace of one",
            "fabric_hash": "fabric",
            "records": 2,
        }
    ]


def test_anytime_records_are_curves_and_no_rows():
    """Quality against cost, in the order of the budget."""
    points = [
        record("a", 0.5, seed=seed, anytime={"parameter": "budget", "value": value})
        | {
            "cost": {
                "curve": [{"parameter": "budget", "value": value, "ratio": 1, "balancedness": 0.5}]
            }
        }
        for seed, value in ((0, 2.0), (0, 1.0))
    ]
    found = ranking([record("a", 0.6), *points])
    assert len(found.rows) == 1
    assert [one["value"] for one in found.curves["a"]] == [1.0, 2.0]


def test_the_order_of_records_does_not_matter():
    """Every number is the same."""
    runs = [
        record(name, 0.5 + shift + LUCK, place)
        for name, shift in (("a", 0.1), ("b", 0.11))
        for place in ("one", "two")
    ]
    assert ranking(runs).rows == ranking(runs[::-1]).rows


def test_scenarios_that_nobody_ran_are_wanted_too():
    """Two of them, after an interrupt, say."""
    wanted = {("one", "even"), ("two", "even"), ("three", "even")}
    found = ranking([record("a", 0.9)], wanted)
    assert not found.rows
    assert [one["reason"] for one in found.apart] == ["ran on 1 of 3 traces"]


def repeated(name, efficiencies):
    """Return a record for each repetition, on a generated trace of its own."""
    return [
        record(name, value, seed=seed, trace_seed=seed, trace_hash=str(seed))
        for seed, value in enumerate(efficiencies)
    ]


def test_a_tie_says_how_many_repetitions_separate_it():
    """In the rows, in the list of ties, and in JSON."""
    runs = [*repeated("a", [0.80, 0.84, 0.82]), *repeated("b", [0.81, 0.81, 0.81])]
    found = ranking(runs)
    (tie,) = found.ties
    assert tie.rows == (("a", "even"), ("b", "even"))
    assert tie.difference == pytest.approx(1 - 0.81 / 0.82)
    # Differences of 0.01 ± 0.02: 34 repetitions of Student's t, for 5 % and a power of 80 %.
    assert tie.repetitions == 34
    assert [row.repetitions_to_separate for row in found.rows] == [34, 34]
    as_json = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert as_json["ties"][0]["repetitions"] == as_json["rows"][0]["repetitions_to_separate"] == 34
    assert as_json["rows"][0]["alone"] == as_json["rows"][0]["interval"]


def test_a_small_difference_needs_no_repetitions():
    """Below 0.5 % of step time a tie interests nobody."""
    runs = [*repeated("a", [0.800, 0.804, 0.802]), *repeated("b", [0.801, 0.801, 0.801])]
    found = ranking(runs)
    assert [tie.repetitions for tie in found.ties] == [None]
    assert not found.ties[0].is_interesting
    assert [row.repetitions_to_separate for row in found.rows] == [None, None]


def test_rows_say_whether_they_are_within_one_recording():
    """A recording was there once, a generated trace as often as it has seeds."""
    (recorded,) = ranking([record("a", 0.5 + LUCK)]).rows
    assert (recorded.within_recording, recorded.repetitions) == (True, 1)
    (generated,) = ranking(repeated("a", [0.5, 0.6, 0.7])).rows
    assert (generated.within_recording, generated.repetitions) == (False, 3)


def test_thirty_candidates_rank_in_a_second():
    """On ten scenarios with ten seeds each."""
    random = np.random.default_rng(9)
    runs = [
        record(
            f"s{name}",
            0.8 + 0.001 * name + 0.01 * random.random(8),
            f"scenario {scenario}",
            seed=seed,
            trace_seed=seed,
            trace_hash=f"{scenario} {seed}",
        )
        for name in range(30)
        for scenario in range(10)
        for seed in range(10)
    ]
    started = time.process_time()
    found = ranking(runs)
    assert time.process_time() - started < 1
    assert len(found.rows) == 30

"""Records become ranked rows; what does not compare stands apart."""

import pytest

from evaluation.report import rankings
from evaluation.report.candidate_labels import labelled
from evaluation.report.kinds import SOLVER, kind_of
from tests.evaluation.report import made


def tables(records):
    """Return the tables of made-up records."""
    shown = records if "candidate" in records[0] else labelled(records)
    return rankings.standings(shown, kind_of(shown))


def test_ranks_and_intervals_are_the_houses():
    """Rows are those of evaluation.leaderboard: equals share a rank, windows give intervals."""
    (mean, *_) = tables(made.suite())
    assert [(row.rank, row.shared, row.candidate) for row in mean.rows[:3]] == [
        (1, True, "robust"),
        (1, True, "robust"),
        (3, True, "greedy"),
    ]
    assert all(row.interval is not None for row in mean.rows)
    assert mean.rows[0].scores["cost_ratio"] > 0


def test_schedulers_have_means_and_no_interval():
    """A kind that the house's standing does not know is ranked by means; one run is not sure."""
    records = [made.scheduler("a", goodput=90.0), made.scheduler("b", goodput=100.0)]
    (mean,) = tables(records)
    assert [(row.rank, row.candidate, row.interval) for row in mean.rows] == [
        (1, "b", None),
        (2, "a", None),
    ]


def test_records_without_windows_stand_apart():
    """What the house's standing cannot rank stands apart with the reason, ranked by means."""
    bare = [one | {"windows": {}} for one in made.suite(seeds=(0, 1))]
    main, apart = rankings.split(labelled([*bare, made.solver("whole")]))
    assert [one["candidate"] for one in main] == ["whole"]
    reason, mine = apart[0]
    assert reason == "calm: lacks finite numbers of which efficiency is made"
    (mean,) = rankings.standings(mine, SOLVER)
    assert mean.rows[0].candidate == "robust"
    assert mean.rows[0].interval is not None


def test_one_name_at_two_stages_is_two_schedulers():
    """A router of one name may serve two stages: neither is taken for a second run of the other."""
    records = [made.scheduler("random", "job", goodput=1.0), made.scheduler("random", "decode")]
    main, apart = rankings.split(labelled(records))
    assert len(main) == 2
    assert apart == []


def test_two_of_one_name_are_two_rows():
    """Other parameters under one name have a row and a label of their own."""
    records = [made.solver(parameters={"rounds": n}, quality=0.9 - n / 10) for n in (1, 2)]
    shown = labelled(records)
    (mean,) = tables(records)
    assert [row.candidate for row in mean.rows] == [one["candidate"] for one in shown]


def test_seeds_make_intervals_that_hold_the_mean():
    """Three seeds of every scenario give each row an interval around its mean."""
    (mean, *_) = tables(made.suite(seeds=(0, 1, 2)))
    for row in mean.rows:
        assert row.interval is not None
        low, high = row.interval
        assert low <= row.scores["efficiency"] <= high
        assert low < high


def test_each_scenario_has_a_table():
    """After the mean comes a table a scenario, with its own means."""
    found = tables(made.suite())
    assert [table.scenario for table in found] == ["", "calm", "shift"]
    assert found[1].rows[0].scores["efficiency"] == pytest.approx(0.95)
    assert found[2].rows[0].scores["efficiency"] == pytest.approx(0.75)


def test_failures_are_never_ranked():
    """Who fails in one scenario has no row in the mean, and is said with the reason, once."""
    broken = [made.solver("fragile", "shift"), *[made.failed("fragile", reason="no")] * 2]
    records = labelled([*made.suite(), *broken])
    mean, calm, shift = tables(records)
    assert "fragile" not in {row.candidate for row in (*mean.rows, *calm.rows)}
    assert "fragile" in {row.candidate for row in shift.rows}
    (failure,) = rankings.failures(records)
    assert (failure.candidate, failure.scenario, failure.reason) == ("fragile", "calm", "no")


def test_another_trace_stands_apart():
    """A record on another trace is no row of the suite, and the reason names the difference."""
    other = made.solver("greedy", trace_hash="c" * 64)
    main, apart = rankings.split(labelled([other, *made.suite()]))
    assert len(main) == len(made.suite())
    ((reason, mine),) = apart
    assert reason == "calm: another trace: cccccccc, not aaaaaaaa"
    assert [one["trace_hash"] for one in mine] == ["c" * 64]


def test_missing_scenarios_are_said():
    """Who ran in half of the suite is named, and has no mean."""
    records = labelled([*made.suite(), made.solver("late")])
    assert rankings.incomplete(records) == ["late · even ran on 1 of 2 traces"]

"""Records become ranked rows; records that do not compare are separate."""

import pytest

from evaluation.kinds.scheduler.scheduler import GOODPUT
from evaluation.kinds.solver import SOLVER
from evaluation.report import rankings
from evaluation.report.candidate_labels import labelled
from evaluation.report.record_display import display_of_all
from tests.evaluation.leaderboard.made import scheduler
from tests.evaluation.report import made


def found(records):
    """Return the rankings of made-up records."""
    shown = records if "candidate" in records[0] else labelled(records)
    return rankings.rankings(shown, display_of_all(shown))


def tables(records):
    """Return their tables."""
    return found(records).tables


def test_ranks_and_intervals_are_the_leaderboards():
    """Equal rows share a rank, and windows give intervals."""
    (mean, *_) = tables(made.suite())
    assert [(row.rank, row.shared, row.candidate) for row in mean.rows[:3]] == [
        (1, True, "robust"),
        (1, True, "robust"),
        (3, True, "greedy"),
    ]
    assert all(row.interval is not None for row in mean.rows)
    assert mean.rows[0].scores["cost_ratio"] > 0


def test_schedulers_without_a_reference_have_means_and_no_interval():
    """Goodput itself ranks; one run has no interval, and so all share a rank."""
    records = [made.scheduler("a", goodput=90.0), made.scheduler("b", goodput=100.0)]
    (mean,) = tables(records)
    assert [(row.rank, row.candidate, row.interval) for row in mean.rows] == [
        (1, "b", None),
        (1, "a", None),
    ]


def test_records_without_windows_are_separate():
    """They are listed with the reason, and ordered by their plain scores, without intervals."""
    bare = [one | {"windows": {}} for one in made.suite(seeds=(0, 1))]
    main, apart = rankings.split(labelled([*bare, made.solver("whole")]))
    assert [one["candidate"] for one in main] == ["whole"]
    reason, mine = apart[0]
    assert reason == "calm: lacks finite numbers of which efficiency is made"
    (mean,) = rankings.rankings(mine, SOLVER.display).tables
    assert mean.rows[0].candidate == "robust"
    assert mean.rows[0].interval is None


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
    every = tables(made.suite())
    assert [table.scenario for table in every] == ["", "calm", "shift"]
    assert every[1].rows[0].scores["efficiency"] == pytest.approx(0.95)
    assert every[2].rows[0].scores["efficiency"] == pytest.approx(0.75)


def test_failures_are_never_ranked():
    """Who fails in one scenario has no row in the mean, and is said with the reason, once."""
    broken = [made.solver("fragile", "shift"), *[made.failed("fragile", reason="no")] * 2]
    records = labelled([*made.suite(), *broken])
    mean, calm, shift = tables(records)
    assert "fragile" not in {row.candidate for row in (*mean.rows, *calm.rows)}
    assert "fragile" in {row.candidate for row in shift.rows}
    (failure,) = found(records).failures
    assert (failure.candidate, failure.scenario, failure.reason) == ("fragile", "calm", "no")


def test_records_of_another_trace_are_separate():
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
    assert found(records).notes == ("late · even ran on 1 of 2 traces",)


def test_schedulers_are_ranked_stage_by_stage():
    """Goodput of a thousand at one stage does not outrank one of another: ratios are alike."""
    records = [
        scheduler(name, factor * size * (1 + seed), scenario, seed, stage=stage)
        for stage, scenario, size in (("job", "small", 1.0), ("batch", "large", 1000.0))
        for name, factor in (("plain", 1.0), ("good", 1.5))
        for seed in (0, 1)
    ]
    (rows,) = [one.rows for one in tables(GOODPUT.with_ratios(records)) if not one.scenario]
    assert [
        (row.variant, row.rank, row.candidate, row.scores["goodput_ratio"]) for row in rows
    ] == [
        ("batch", 1, "good", pytest.approx(1.5)),
        ("batch", 2, "plain", 1.0),
        ("job", 1, "good", pytest.approx(1.5)),
        ("job", 2, "plain", 1.0),
    ]
    assert [row.interval is None for row in rows] == [False, True, False, True]

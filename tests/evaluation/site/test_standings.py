"""Records become ranked rows; what does not compare stands apart."""

import pytest

from evaluation.site import standings
from evaluation.site.candidates import labelled
from tests.evaluation.site import made


def test_one_run_has_no_interval():
    """Without a second seed nothing says how sure a mean is, and only equals share a rank."""
    (mean, *_) = standings.standings(labelled(made.suite()))
    assert [(row.rank, row.shared, row.candidate) for row in mean.rows[:3]] == [
        (1, True, "robust"),
        (1, True, "robust"),
        (3, True, "greedy"),
    ]
    assert all(row.interval is None for row in mean.rows)


def test_seeds_make_intervals_that_hold_the_mean():
    """Three seeds of every scenario give each row an interval around its mean."""
    (mean, *_) = standings.standings(labelled(made.suite(seeds=(0, 1, 2))))
    for row in mean.rows:
        assert row.interval is not None
        low, high = row.interval
        assert low <= row.scores["efficiency"] <= high
        assert low < high


def test_each_scenario_has_a_table():
    """After the mean comes a table a scenario, with its own means."""
    found = standings.standings(labelled(made.suite()))
    assert [table.scenario for table in found] == ["", "calm", "shift"]
    assert found[1].rows[0].scores["efficiency"] == pytest.approx(0.95)
    assert found[2].rows[0].scores["efficiency"] == pytest.approx(0.75)


def test_failures_are_never_ranked():
    """Who fails in one scenario has no row in the mean, and is said with the reason, once."""
    broken = [made.solver("fragile", "shift"), *[made.failed("fragile", reason="no")] * 2]
    records = labelled([*made.suite(), *broken])
    mean, calm, shift = standings.standings(records)
    assert "fragile" not in {row.candidate for row in (*mean.rows, *calm.rows)}
    assert "fragile" in {row.candidate for row in shift.rows}
    (failure,) = standings.failures(records)
    assert (failure.candidate, failure.scenario, failure.reason) == ("fragile", "calm", "no")


def test_another_trace_stands_apart():
    """A record on another trace is no row of the suite, and the reason names the difference."""
    other = made.solver("greedy", trace_hash="c" * 64)
    main, apart = standings.split(labelled([other, *made.suite()]))
    assert len(main) == len(made.suite())
    ((reason, mine),) = apart
    assert reason == "calm was run with another trace (cccccccc)"
    assert [one["trace_hash"] for one in mine] == ["c" * 64]


def test_missing_scenarios_are_said():
    """Who ran in half of the suite is named, and has no mean."""
    records = labelled([*made.suite(), made.solver("late")])
    assert standings.incomplete(records) == ["late · even ran in 1 of 2 scenarios"]

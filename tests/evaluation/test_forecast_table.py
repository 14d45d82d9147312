"""The table of forecasters is a pure function of records."""

import io

from rich.console import Console

from evaluation import forecast_table


def record(forecaster, even, error, scenario="one", seconds=1e-3):
    """Return what a run leaves behind, as far as the table reads it."""
    scores = {"error": error, "hot_error": 0.2, "balancedness_even": even}
    scores |= {"balancedness_optimal": 0.9, "foresight_even": 0.98, "foresight_optimal": 0.99}
    return {
        "forecaster": forecaster,
        "scenario": {"id": scenario},
        "status": "ok",
        "scores": scores,
        "wall": {"forecast_s_median": seconds},
    }


def rendered(records):
    """Return whether any was ranked, and the text."""
    console = Console(file=io.StringIO(), width=forecast_table.WIDTH)
    ranked = forecast_table.render(records, "title", console)
    return ranked, console.file.getvalue()


def test_best_balance_comes_first_and_means_are_over_scenarios():
    """Ranked by the even split; error in per cent; the time is the median."""
    records = [
        record("low", 0.7, 0.1),
        record("high", 0.8, 0.2, seconds=1e-3),
        record("high", 0.9, 0.4, "two", seconds=3e-3),
    ]
    rows, failures = forecast_table.rank(records)
    assert [row.forecaster for row in rows] == ["high", "low"]
    assert not failures
    ranked, text = rendered(records)
    assert ranked
    line = next(line for line in text.splitlines() if "high" in line)
    assert line.split() == ["1", "high", "0.850", "0.900", "30.0%", "20.0%", "2.00"]
    assert "0.980    0.990" in text.splitlines()[-1]


def test_equal_scores_are_ordered_by_name():
    """So that a table does not depend on the order of the records."""
    rows, _ = forecast_table.rank([record("b", 0.7, 0.1), record("a", 0.7, 0.1)])
    assert [row.forecaster for row in rows] == ["a", "b"]


def test_failures_are_said_and_not_scored():
    """One failed scenario takes the forecaster out; the reason is printed."""
    failed = {**record("bad", 0, 0, "two"), "status": "failed", "reason": "ValueError: no"}
    ranked, text = rendered([record("bad", 0.9, 0.1), failed, record("good", 0.7, 0.1)])
    assert ranked
    assert "failed: bad on two: ValueError: no" in text
    assert [row.forecaster for row in forecast_table.rank([record("good", 0.7, 0.1)])[0]] == [
        "good"
    ]
    assert not rendered([failed])[0]

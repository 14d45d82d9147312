"""The table of forecasters is a view of their ranking."""

import io

from rich.console import Console

from evaluation.leaderboard import forecast_table, rank
from evaluation.leaderboard.measures import MEASURES

BALANCE = MEASURES["forecast"]


def record(forecaster, even, error, scenario="one", seconds=1e-3):
    """Return what a run leaves behind, as far as the table reads it."""
    scores = {"error": error, "hot_error": 0.2, "balancedness_even": even}
    scores |= {"balancedness_optimal": 0.9, "foresight_even": 0.98, "foresight_optimal": 0.99}
    return {
        "kind": "forecast",
        "suite": "toy-v1",
        "forecaster": forecaster,
        "scenario": {"id": scenario},
        "seed": 0,
        "status": "ok",
        "scores": scores,
        "windows": {"balancedness_even": [even - 0.01, even + 0.01, even, even]},
        "wall": {"forecast_s_median": seconds},
    }


def rendered(records):
    """Return whether any was ranked, and the text."""
    console = Console(file=io.StringIO(), width=100)
    ranked = forecast_table.render(records, "title", console)
    return ranked, console.file.getvalue()


def test_best_balance_comes_first_and_means_are_over_scenarios():
    """Ranked by the even split; error in per cent; the time is the median."""
    ranked, text = rendered(
        [
            record("low", 0.6, 0.1),
            record("low", 0.6, 0.1, "two"),
            record("high", 0.8, 0.2, seconds=1e-3),
            record("high", 0.9, 0.4, "two", seconds=3e-3),
        ]
    )
    assert ranked
    lines = [line.split() for line in text.splitlines()]
    assert [line[1] for line in lines if line and line[0].isdigit()] == ["high", "low"]
    (line,) = (line for line in lines if "high" in line)
    assert line[2] == "0.850"
    assert line[-6:] == ["0.900", "30.0", "%", "20.0", "%", "2.00"]
    (best,) = (line for line in text.splitlines() if forecast_table.FORESIGHT in line)
    assert best.split()[-2:] == ["0.980", "0.990"]


def test_equal_scores_are_ordered_by_name():
    """So that a table does not depend on the order of the records; they share a rank."""
    rows = rank([record("b", 0.7, 0.1), record("a", 0.7, 0.1)], BALANCE).rows
    assert [(row.rank, row.name) for row in rows] == [(1, "a"), (1, "b")]


def test_failures_are_said_and_not_scored():
    """One failed scenario takes the forecaster out; the reason is printed."""
    failed = {**record("bad", 0, 0, "two"), "status": "failed", "reason": "ValueError: no"}
    good = [record("good", 0.7, 0.1), record("good", 0.7, 0.1, "two")]
    ranked, text = rendered([record("bad", 0.9, 0.1), failed, *good])
    assert ranked
    assert "failed: bad on two: ValueError: no" in text
    assert [row.name for row in rank([failed, *good], BALANCE).rows] == ["good"]
    assert not rendered([failed])[0]

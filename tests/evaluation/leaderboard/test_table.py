"""The leaderboard is a view of the ranking that fits its window."""

import io

import numpy as np
from rich.console import Console

from evaluation.leaderboard import table
from tests.evaluation.leaderboard.made import failed, record

LUCK = 0.1 * np.random.default_rng(0).random(24)


def shown(records, width=table.WIDTH):
    """Return whether any was ranked, and the text."""
    out = io.StringIO()
    return table.render(records, "title", Console(file=out, width=width)), out.getvalue()


def test_rank_interval_and_gap_are_shown():
    """Shared ranks are explained."""
    ranked, text = shown([record("a", 0.7 + LUCK), record("b", 0.7 + LUCK)])
    assert ranked
    lines = [line.split() for line in text.splitlines() if line.split()[0] == "1"]
    assert [line[1] for line in lines] == ["a", "b"]
    assert "–" in lines[0][3]
    assert "share a rank" in text


def test_dispatcher_is_shown_where_there_are_several():
    """Placement and dispatcher are judged together, and the table says which."""
    assert "dispatcher" not in shown([record("a", 0.5)])[1]
    assert "dispatcher" in shown([record("a", 0.5), record("a", 0.7, dispatcher="optimal")])[1]


def test_failures_are_below_the_table():
    """Once for all scenarios with one reason, by what became of it; and never scored."""
    ranked, text = shown(
        [
            failed("x"),
            failed("x", "two"),
            failed("y", status="infeasible"),
            record("a", 0.5),
            record("a", 0.5, "two"),
        ]
    )
    assert ranked
    assert "failed: x on one, two: ValueError: no" in text
    assert "infeasible: y on one: ValueError: no" in text
    assert text.index(" a ") < text.index("failed:")


def test_other_groups_are_below_the_table():
    """With the reason."""
    text = shown([record("a", 0.5), record("b", 0.5), record("c", 0.9, trace_hash="other")])[1]
    assert "not compared: c on one: another trace: other, not trace of" in text


def test_nothing_ranked_is_said():
    """Without any score the caller learns it."""
    assert not shown([failed("a")])[0]


def test_a_narrow_window_hides_columns_and_says_which():
    """Efficiency, interval and balance stay; what does not fit is named instead of wrapped."""
    text = shown([record("a", [0.25, 0.25])], 80)[1]
    assert "0.2500" in text
    assert "hidden in a narrow window:" in text
    assert "tokens/s per chip" in text
    assert max(map(len, text.splitlines()[:-2])) <= 80


def test_balance_in_seconds_is_a_column():
    """Its own score, not that in tokens."""
    one = record("a", 0.25)
    one["scores"] = {**one["scores"], "balancedness_seconds_next": 0.876}
    assert "0.876" in shown([one], 200)[1]

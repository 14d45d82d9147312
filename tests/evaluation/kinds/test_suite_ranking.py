"""The ranking of a suite becomes lines and notes of a table."""

import pytest

from evaluation.kinds.solver import SOLVER
from tests.evaluation.leaderboard.made import failed, record


def test_a_line_has_what_columns_read():
    """Scores, the score that ranks, and what the ranking adds."""
    (line,) = SOLVER.ranking([record("a", [0.25, 0.75])]).lines()
    assert (line.rank, line.name, line.variant) == (1, "a", "even")
    assert line.values["efficiency"] == pytest.approx(0.5)  # (0.25 + 0.75) s ideal in 2 s
    assert line.values["cost_ratio"] == pytest.approx(10)
    assert (line.values["gap"], line.values["solve_s"]) == (0, 0.001)
    low, high = line.values["interval"]
    assert low < 0.5 < high


def test_the_first_note_says_what_ranks_rest_on():
    """Of two rows or more: the fewest repetitions, and which pairs are tied."""
    records = [
        record(name, value + 0.01 * seed, seed=seed, trace_seed=seed, trace_hash=str(seed))
        for name, value in (("a", 0.5), ("b", 0.6))
        for seed in range(3)
    ]
    (note,) = SOLVER.ranking(records).notes()
    assert note.text == (
        "Ranks and intervals come from 3 repetitions; no pair that differs by 0.5 % or more is "
        "tied."
    )
    assert not list(SOLVER.ranking(records[:3]).notes())


def test_failures_are_notes():
    """Once for all scenarios with one reason, by what became of it."""
    records = [failed("x"), failed("x", "two"), failed("y", status="infeasible")]
    records += [record("a", 0.5), record("a", 0.5, "two")]
    notes = SOLVER.ranking(records).notes()
    assert [note.text for note in notes] == [
        "failed: x on one, two: ValueError: no",
        "infeasible: y on one: ValueError: no",
    ]


def test_other_groups_are_notes():
    """With the reason."""
    records = [record("a", 0.5), record("b", 0.5), record("c", 0.9, trace_hash="other")]
    _, note = SOLVER.ranking(records).notes()
    assert note.text.startswith("not compared: c on one: another trace: other, not trace of")

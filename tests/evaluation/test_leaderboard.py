"""The leaderboard is a pure function of records."""

import io

from rich.console import Console

from evaluation import leaderboard

KEYS = (
    "efficiency",
    "balancedness_fitted",
    "balancedness_next",
    "balancedness_seconds_next",
    "worst_layer_next",
    "gap_to_bound",
    "slots_changed",
    "moved_bytes",
    "step_s",
    "tokens_per_s_per_chip",
)
SCORES = dict.fromkeys(KEYS, 0.5)


def record(solver, efficiency, scenario="one", status="ok", dispatcher="even"):
    """Make a record."""
    base = {
        "solver": solver,
        "dispatcher": dispatcher,
        "scenario": {"id": scenario},
        "status": status,
    }
    if status != "ok":
        return {**base, "reason": "ValueError: no"}
    wall = {"solve_s_median": 0.001}
    return {**base, "scores": {**SCORES, "efficiency": efficiency}, "wall": wall}


def test_ranked_by_mean_efficiency():
    """Means over scenarios decide; equal ones go by name."""
    rows, _ = leaderboard.rank(
        [record("b", 0.5), record("b", 0.7, "two"), record("c", 0.6), record("a", 0.6)]
    )
    assert [row.solver for row in rows] == ["a", "b", "c"]
    assert rows[1].scores["moved_bytes"] == 1.0


def test_a_solver_has_a_row_for_each_dispatcher():
    """Placement and dispatcher are judged together, and the table says which."""
    records = [record("a", 0.5), record("a", 0.7, dispatcher="optimal")]
    rows, _ = leaderboard.rank(records)
    assert [(row.solver, row.dispatcher) for row in rows] == [("a", "optimal"), ("a", "even")]
    out = io.StringIO()
    leaderboard.render(records, "t", Console(file=out, width=leaderboard.WIDTH))
    assert "dispatcher" in out.getvalue()


def test_a_failure_costs_the_row_of_its_dispatcher():
    """What fails under one dispatcher is still ranked under the other."""
    records = [record("a", 0.5), record("a", 0, status="failed", dispatcher="optimal")]
    rows, failures = leaderboard.rank(records)
    assert [(row.solver, row.dispatcher) for row in rows] == [("a", "even")]
    assert failures == [("a", "one", "ValueError: no")]


def test_failed_solver_is_named_and_not_scored():
    """One failure takes a solver out, the others stay."""
    records = [record("a", 0.9), record("a", 0, "two", status="failed"), record("b", 0.1)]
    rows, failures = leaderboard.rank(records)
    assert [row.solver for row in rows] == ["b"]
    assert failures == [("a", "two", "ValueError: no")]
    out = io.StringIO()
    assert leaderboard.render(records, "t", Console(file=out, width=leaderboard.WIDTH))
    assert "failed: a on two: ValueError: no" in out.getvalue()


def test_nothing_ranked_is_said():
    """Without any score the caller learns it."""
    console = Console(file=io.StringIO())
    assert not leaderboard.render([record("a", 0, status="failed")], "t", console)


def test_a_narrow_window_hides_columns_and_says_which():
    """Efficiency and balance stay; what does not fit is named instead of wrapped."""
    out = io.StringIO()
    leaderboard.render([record("a", 0.25)], "t", Console(file=out, width=70))
    text = out.getvalue()
    assert "0.2500" in text
    assert "hidden in a narrow window:" in text
    assert "tokens/s per chip" in text
    assert max(map(len, text.splitlines()[:-2])) <= 70


def test_balance_in_seconds_is_a_column():
    """Its own score, not that in tokens; of the spare columns it is the last to go."""
    one = record("a", 0.25)
    one["scores"] = {**one["scores"], "balancedness_seconds_next": 0.876}
    out = io.StringIO()
    leaderboard.render([one], "t", Console(file=out, width=leaderboard.WIDTH))
    heads, names, row = out.getvalue().splitlines()[1:4]
    at = names.index("seconds")
    assert heads[at : at + len("balance")] == "balance"
    assert row[at : at + len("seconds")].strip() == "0.876"
    kept = [column.spare for column in leaderboard.COLUMNS if column.spare]
    assert min(kept) == next(
        column.spare for column in leaderboard.COLUMNS if column.heading == "balance\nseconds"
    )

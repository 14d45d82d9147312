"""The table of forecasters: a view of their ranking, next to the leaderboard of solvers."""

from collections.abc import Collection
from typing import Any

from rich.console import Console

from evaluation.leaderboard import Ranking, rank
from evaluation.leaderboard.measures import measure_of
from evaluation.leaderboard.table import SURE, Column, of_score, say_left_out, say_shared, table_of

COLUMNS = (
    Column("balance\neven", lambda row: row.score, "{:.3f}"),
    *SURE,
    Column("balance\noptimal", of_score("balancedness_optimal"), "{:.3f}"),
    Column("next-window\nerror", of_score("error", 100), "{:.1f} %"),
    Column("of hot\nexperts", of_score("hot_error", 100), "{:.1f} %"),
    Column("forecast\nms", lambda row: row.solve_s and row.solve_s * 1e3, "{:.2f}"),
)
FORESIGHT = "(perfect foresight)"


def render(
    records: list[dict[str, Any]],
    title: str,
    console: Console,
    wanted: Collection[tuple[str, str]] | None = None,
) -> bool:
    """Print the table and what is not in it; return whether any forecaster was ranked."""
    return show(rank(records, measure_of(records), wanted), title, console)


def show(found: Ranking, title: str, console: Console) -> bool:
    """Print a ranking of forecasters as :func:`render` does its records."""
    if found.rows:
        table, hidden = table_of(found.rows, COLUMNS, title, console)
        table.columns[1].header = "\nforecaster"
        # the same for every forecaster: what the planner makes of the load that really came
        best = found.rows[0].scores
        shown = [column for column in COLUMNS if column not in hidden]
        cells = {
            "balance\neven": f"{best['foresight_even']:.3f}",
            "balance\noptimal": f"{best['foresight_optimal']:.3f}",
        }
        table.add_row("", FORESIGHT, *(cells.get(column.heading, "") for column in shown))
        console.print(table)
        say_shared(found.rows, console)
    say_left_out(found, console)
    return bool(found.rows)

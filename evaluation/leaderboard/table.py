"""The leaderboard as a table: a view of the ranking of records."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.leaderboard import Ranking, Row, rank
from evaluation.leaderboard.measures import measure_of

WIDTH = 118


@dataclass(frozen=True)
class Column:
    """A column: heading, the value of a row, how it is written, and how soon it may be spared."""

    heading: str
    value: Callable[[Row], Any]
    form: str
    spare: int = 0

    def cell(self, row: Row) -> str:
        """Return the text of a row; a dash where nothing was measured."""
        value = self.value(row)
        return "–" if value is None else self.form.format(value)


def of_score(key: str, factor: float = 1.0) -> Callable[[Row], Any]:
    """Return the function that reads a score of a row, times a factor; None without it."""

    def value(row: Row) -> float | None:
        score = row.scores.get(key)
        return None if score is None else score * factor

    return value


def interval(row: Row) -> str | None:
    """Return the text of a row's interval."""
    return None if row.interval is None else "{:.4f}–{:.4f}".format(*row.interval)


SURE = (
    Column("95 %\ninterval", interval, "{}"),
    Column("gap to\nbest", lambda row: 100 * row.gap, "{:.1f} %", 3),
)
PRICE = (
    Column("cost\nratio", lambda row: row.cost_ratio, "{:,.0f} ×", 1),
    Column("solve\nms", lambda row: row.solve_s and row.solve_s * 1e3, "{:.2f}"),
)
#: Kind of a suite to its columns.
COLUMNS = {
    "solver": (
        Column("efficiency\n", lambda row: row.score, "{:.4f}"),
        *SURE,
        Column("balance\nfitted", of_score("balancedness_fitted"), "{:.3f}"),
        Column("balance\nnext", of_score("balancedness_next"), "{:.3f}"),
        Column("balance\nseconds", of_score("balancedness_seconds_next"), "{:.3f}", 4),
        Column("worst\nlayer", of_score("worst_layer_next"), "{:.3f}", 6),
        Column("gap to\nbound", of_score("gap_to_bound"), "{:.3f}", 7),
        Column("slots\nchanged", of_score("slots_changed", 100), "{:.0f} %"),
        Column("GB\nmoved", of_score("moved_bytes", 1e-9), "{:.1f}", 8),
        Column("step\nms", of_score("step_s", 1e3), "{:.3f}", 5),
        Column("tokens/s\nper chip", of_score("tokens_per_s_per_chip"), "{:,.0f}", 9),
        *PRICE,
    ),
    "fit": (
        Column("balance\nfitted", lambda row: row.score, "{:.4f}"),
        *SURE,
        Column("worst\nlayer", of_score("worst_layer_fitted"), "{:.3f}", 5),
        Column("gap to\nbound", of_score("gap_to_bound"), "{:.4f}", 4),
        *PRICE,
    ),
    "competition": (
        Column("score\n", lambda row: row.score, "{:.1f}"),
        *SURE,
        Column("seconds\n", of_score("total_s"), "{:.2f}"),
        Column("imba-\nlance", of_score("imbalance"), "{:.4f}"),
        Column("moves\n", of_score("moves"), "{:,.0f}"),
        Column("calls\n", of_score("calls"), "{:,.0f}", 4),
        *PRICE,
    ),
}


def render(
    records: list[dict[str, Any]],
    title: str,
    console: Console,
    wanted: Collection[tuple[str, str]] | None = None,
) -> bool:
    """Print the leaderboard and what is not in it; return whether any solver was ranked.

    Parameters
    ----------
    records
        Of one suite of solvers.
    title, console
        What is written above the table, and where.
    wanted
        As in :func:`evaluation.leaderboard.rank`.
    """
    return show(rank(records, measure_of(records), wanted), title, console)


def show(found: Ranking, title: str, console: Console) -> bool:
    """Print a ranking as :func:`render` does its records."""
    if found.rows:
        table, hidden = table_of(found.rows, COLUMNS[found.kind], title, console)
        console.print(table)
        if hidden:
            names = ", ".join(" ".join(column.heading.split()) for column in hidden)
            console.print(f"hidden in a narrow window: {names}", style="dim", highlight=False)
        say_shared(found.rows, console)
    say_left_out(found, console)
    return bool(found.rows)


def table_of(
    rows: Sequence[Row], columns: Sequence[Column], title: str, console: Console
) -> tuple[Table, list[Column]]:
    """Return the table and the columns left out of it, the least telling first, so that it fits."""
    hidden: list[Column] = []
    several = len({row.dispatcher for row in rows}) > 1
    while True:
        shown = [column for column in columns if column not in hidden]
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
        table.add_column("\n#", justify="right", no_wrap=True)
        table.add_column("\nsolver", no_wrap=True)
        if several:
            table.add_column("\ndispatcher", no_wrap=True)
        for column in shown:
            table.add_column(column.heading, justify="right", no_wrap=True)
        for row in rows:
            name = [row.name, row.dispatcher] if several else [row.name]
            table.add_row(str(row.rank), *name, *(column.cell(row) for column in shown))
        wide = console.options.update(width=WIDTH * 2)
        spared = [column for column in shown if column.spare]
        if table.__rich_measure__(console, wide).maximum <= console.width or not spared:
            return table, hidden
        hidden.append(max(spared, key=lambda column: column.spare))


def say_shared(rows: Sequence[Row], console: Console) -> None:
    """Say what an equal rank means, where there is one."""
    if len({row.rank for row in rows}) < len(rows):
        text = "Rows share a rank if their 95 % intervals overlap that of the best of them."
        console.print(text, style="dim", highlight=False)


def say_left_out(found: Ranking, console: Console) -> None:
    """Print below a table who is not scored, and why: failures, then other groups."""
    lines: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in found.failures:
        lines[one["status"], one["name"], one["reason"]].append(one["scenario"])
    for one in found.apart:
        lines["not compared", one["name"], one["reason"]].append(one["scenario"])
    for (status, name, reason), scenarios in lines.items():
        text = f"{status}: {name} on {', '.join(dict.fromkeys(scenarios))}: {reason}"
        style = "yellow" if status == "not compared" else "red"
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

"""The leaderboard: a pure function of records."""

import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 112


@dataclass(frozen=True)
class Column:
    """A column: heading, the value of a row, how it is written, and how soon it may be spared."""

    heading: str
    value: Callable[[dict[str, float]], float]
    form: str
    spare: int = 0


def _percent(key: str) -> Callable[[dict[str, float]], float]:
    return lambda row: 100 * row[key]


COLUMNS = (
    Column("efficiency\n", lambda row: row["efficiency"], "{:.4f}"),
    Column("balance\nfitted", lambda row: row["balancedness_fitted"], "{:.3f}"),
    Column("balance\nnext", lambda row: row["balancedness_next"], "{:.3f}"),
    Column("balance\nseconds", lambda row: row["balancedness_seconds_next"], "{:.3f}", 4),
    Column("worst\nlayer", lambda row: row["worst_layer_next"], "{:.3f}", 6),
    Column("gap to\nbound", lambda row: row["gap_to_bound"], "{:.3f}", 7),
    Column("slots\nchanged", _percent("slots_changed"), "{:.0f} %"),
    Column("GB\nmoved", lambda row: row["moved_bytes"] / 1e9, "{:.1f}", 8),
    Column("step\nms", lambda row: row["step_s"] * 1e3, "{:.3f}", 5),
    Column("tokens/s\nper chip", lambda row: row["tokens_per_s_per_chip"], "{:,.0f}", 9),
    Column("solve\nms", lambda row: row["solve_s_median"] * 1e3, "{:.2f}"),
)


@dataclass(frozen=True)
class Row:
    """One solver under one dispatcher, its scores averaged over the scenarios."""

    solver: str
    dispatcher: str
    scores: dict[str, float]


def rank(records: Iterable[dict[str, Any]]) -> tuple[list[Row], list[tuple[str, str, str]]]:
    """Return the rows, best efficiency first, and (solver, scenario, reason) of what failed.

    A solver that failed anywhere under a dispatcher is not scored under it. Means over scenarios
    are arithmetic, but for GB moved, which is a sum.
    """
    by_solver: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        by_solver[record["solver"], record["dispatcher"]].append(record)
    failures = [
        (solver, record["scenario"]["id"], record["reason"])
        for (solver, _), runs in by_solver.items()
        for record in runs
        if record["status"] != "ok"
    ]
    rows = [
        Row(*pair, _mean(runs))
        for pair, runs in by_solver.items()
        if all(record["status"] == "ok" for record in runs)
    ]
    rows.sort(key=lambda row: (-row.scores["efficiency"], row.solver, row.dispatcher))
    return rows, failures


def _table(rows: list[Row], title: str, console: Console) -> tuple[Table, list[Column]]:
    """Return the table and the columns left out of it, the least telling first, so that it fits."""
    hidden: list[Column] = []
    several = len({row.dispatcher for row in rows}) > 1
    while True:
        shown = [column for column in COLUMNS if column not in hidden]
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
        table.add_column("\n#", justify="right", no_wrap=True)
        table.add_column("\nsolver", no_wrap=True)
        if several:
            table.add_column("\ndispatcher", no_wrap=True)
        for column in shown:
            table.add_column(column.heading, justify="right", no_wrap=True)
        for place, row in enumerate(rows, start=1):
            cells = [column.form.format(column.value(row.scores)) for column in shown]
            name = [row.solver, row.dispatcher] if several else [row.solver]
            table.add_row(str(place), *name, *cells)
        wide = console.options.update(width=WIDTH * 2)
        if table.__rich_measure__(console, wide).maximum <= console.width or len(shown) == 4:
            return table, hidden
        hidden.append(max(shown, key=lambda column: column.spare))


def _mean(runs: list[dict[str, Any]]) -> dict[str, float]:
    keys = runs[0]["scores"]
    mean = {key: statistics.fmean(run["scores"][key] for run in runs) for key in keys}
    mean["moved_bytes"] = sum(run["scores"]["moved_bytes"] for run in runs)
    mean["solve_s_median"] = statistics.median(run["wall"]["solve_s_median"] for run in runs)
    return mean


def draw(console: Console, path: Path) -> None:
    """Write what ``console`` recorded as a picture that asks no server for its fonts."""
    picture = console.export_svg(title="podlab bench")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(picture, encoding="utf-8")
    partial.replace(path)


def render(records: list[dict[str, Any]], title: str, console: Console) -> bool:
    """Print the leaderboard and what failed; return whether any solver was ranked."""
    rows, failures = rank(records)
    if rows:
        table, hidden = _table(rows, title, console)
        console.print(table)
        if hidden:
            names = ", ".join(" ".join(column.heading.split()) for column in hidden)
            console.print(f"hidden in a narrow window: {names}", style="dim", highlight=False)
    where: dict[tuple[str, str], list[str]] = defaultdict(list)
    for solver, scenario, reason in failures:
        if scenario not in where[solver, reason]:
            where[solver, reason].append(scenario)
    for (solver, reason), scenarios in where.items():
        text = f"failed: {solver} on {', '.join(scenarios)}: {reason}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    return bool(rows)

"""The table of forecasters: a pure function of records, next to the leaderboard of solvers."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

WIDTH = 92
#: Heading, score, form.
COLUMNS = (
    ("balance\neven", "balancedness_even", "{:.3f}"),
    ("balance\noptimal", "balancedness_optimal", "{:.3f}"),
    ("next-window\nerror", "error", "{:.1%}"),
    ("of hot\nexperts", "hot_error", "{:.1%}"),
    ("forecast\nms", "forecast_ms", "{:.2f}"),
)
FORESIGHT = "(perfect foresight)"


@dataclass(frozen=True)
class Row:
    """One forecaster, its scores averaged over the scenarios."""

    forecaster: str
    scores: dict[str, float]


def rank(records: Iterable[dict[str, Any]]) -> tuple[list[Row], list[tuple[str, str, str]]]:
    """Return the rows and (forecaster, scenario, reason) of what failed.

    Rows are ordered by next-window balancedness under the even split, the best first. A
    forecaster that failed anywhere is not scored. Means over scenarios are arithmetic; the time is
    the median of their medians.
    """
    by_name: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        by_name[record["forecaster"]].append(record)
    failures = [
        (name, record["scenario"]["id"], record["reason"])
        for name, runs in by_name.items()
        for record in runs
        if record["status"] != "ok"
    ]
    failed = {name for name, _, _ in failures}
    rows = [Row(name, _mean(runs)) for name, runs in by_name.items() if name not in failed]
    rows.sort(key=lambda row: (-row.scores["balancedness_even"], row.forecaster))
    return rows, failures


def _mean(runs: list[dict[str, Any]]) -> dict[str, float]:
    mean = {key: statistics.fmean(run["scores"][key] for run in runs) for key in runs[0]["scores"]}
    seconds = statistics.median(run["wall"]["forecast_s_median"] for run in runs)
    return {**mean, "forecast_ms": 1e3 * seconds}


def render(records: list[dict[str, Any]], title: str, console: Console) -> bool:
    """Print the table and what failed; return whether any forecaster was ranked."""
    rows, failures = rank(records)
    if rows:
        console.print(_table(rows, title))
    for name, scenario, reason in failures:
        text = f"failed: {name} on {scenario}: {reason}"
        console.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    return bool(rows)


def _table(rows: list[Row], title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 1))
    table.add_column("\n#", justify="right", no_wrap=True)
    table.add_column("\nforecaster", no_wrap=True)
    for heading, _, _ in COLUMNS:
        table.add_column(heading, justify="right", no_wrap=True)
    for place, row in enumerate(rows, start=1):
        cells = [form.format(row.scores[key]) for _, key, form in COLUMNS]
        table.add_row(str(place), row.forecaster, *cells)
    # the same for every forecaster: what the planner makes of the load that really came
    best = {
        f"balancedness_{name}": rows[0].scores[f"foresight_{name}"] for name in ("even", "optimal")
    }
    cells = [form.format(best[key]) if key in best else "" for _, key, form in COLUMNS]
    table.add_row("", FORESIGHT, *cells)
    return table

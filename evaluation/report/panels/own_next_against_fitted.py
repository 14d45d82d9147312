"""Fitted and next balancedness of one candidate, scenario by scenario."""

from typing import Any, NamedTuple

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.panels.next_against_fitted import FITTED, NEXT


class _Row(NamedTuple):
    scenario: str
    fitted: float
    following: float


def panel(records: list[Record]) -> Panel | None:
    """Return fitted and next balancedness of one candidate, a line for each scenario."""
    rows = _rows(records)
    if not rows:
        return None
    data = [
        _connections(rows),
        _points("fitted", [row.fitted for row in rows], rows, theme.COLOURS[4], "circle-open"),
        _points("next", [row.following for row in rows], rows, theme.COLOURS[0], "circle"),
    ]
    figure = theme.figure(
        data,
        height=theme.rows_height(len(rows)),
        xaxis={"title": {"text": "balancedness"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    lost = sum(row.fitted - row.following for row in rows) / len(rows)
    summary = f"In {len(rows)} scenarios {lost:.3f} of the fitted balancedness is lost on average."
    texts = tuple(
        (name, f"{fitted:.4f}", f"{following:.4f}", f"{fitted - following:+.4f}")
        for name, fitted, following in rows
    )
    table = Table(("scenario", "fitted", "next", "lost"), texts)
    caption = (
        "Balancedness on the window that the solver saw (open) and on the next window (full). The "
        "line between them is the loss."
    )
    return Panel("Fitted and next", caption, (View("all", figure, summary, table),), wide=True)


def _rows(records: list[Record]) -> list[_Row]:
    rows = []
    finished = panel_data.finished(records, "scores")
    for scenario_variant, candidates in panel_data.by_scenario(finished).items():
        runs = [record for of_candidate in candidates.values() for record in of_candidate]
        fitted, following = (panel_data.mean(runs, key) for key in (FITTED, NEXT))
        if fitted is not None and following is not None:
            name = " · ".join(part for part in scenario_variant if part)
            rows.append(_Row(name, fitted, following))
    return rows


def _connections(rows: list[_Row]) -> dict[str, Any]:
    """Return the lines between both points of each row; None separates them."""
    x: list[float | None] = []
    y: list[str | None] = []
    for row in rows:
        x += [*theme.short([row.fitted, row.following]), None]
        y += [row.scenario, row.scenario, None]
    return {
        "type": "scatter",
        "mode": "lines",
        "showlegend": False,
        "hoverinfo": "skip",
        "x": x,
        "y": y,
        "line": {"color": theme.FAINT, "width": 3},
    }


def _points(
    name: str, values: list[float], rows: list[_Row], colour: str, symbol: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": theme.short(values),
        "y": [row.scenario for row in rows],
        "marker": {"color": colour, "size": 12, "symbol": symbol, "line": {"width": 2}},
    }

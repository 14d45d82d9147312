"""Pareto fronts of quality against its costs."""

from typing import Any

from evaluation.kinds.columns import COST
from evaluation.leaderboard.column import Column
from evaluation.report import panel_data, scatter, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.record_display import display_of_all

#: Score that is a cost, its name, the title of its axis, and whether the axis is logarithmic.
COSTS = (
    (COST.key, "Solve cost", "solve time, times that of the reference", True),
    ("moved_bytes", "Bytes moved", "GB of expert weights moved", False),
    ("ttft_p99_s", "Time to first token", "TTFT, 99th percentile, ms", False),
)
Points = dict[tuple[str, str], tuple[float, float]]


def panel(records: list[Record]) -> Panel | None:
    """Return quality against solve cost, against bytes moved, and against TTFT in serving."""
    scored = panel_data.finished(records, "scores")
    if not scored:
        return None
    display = display_of_all(scored)
    if display.primary.within_variant:
        return None  # stages have scenarios of their own: one front would mix them
    colours = panel_data.colours(records)
    table = panel_data.over_scenarios(scored, (display.primary.key, *(cost[0] for cost in COSTS)))
    columns = {column.key: column for column in display.columns}
    views = []
    for key, name, axis, logarithmic in COSTS:
        points = {
            pair: (columns[key].factor * row[key], row[display.primary.key])
            for pair, row in table.items()
            if key in columns and key in row and display.primary.key in row
        }
        if logarithmic:
            points = {pair: point for pair, point in points.items() if point[0] > 0}
        if len(points) > 1:
            views.append(_view(name, axis, logarithmic, points, display.primary, colours))
    if not views:
        return None
    return Panel(
        "Pareto fronts",
        f"{display.primary.title.capitalize()} (up) against its cost (across), means over the "
        "scenarios. The line connects the Pareto front. A point right of it and below costs more "
        "and reaches less.",
        tuple(views),
    )


def front(points: Points, better: int = 1) -> list[tuple[str, str]]:
    """Return the candidates on the Pareto front, the cheapest first.

    Parameters
    ----------
    points
        (cost, quality) of each; less cost is better.
    better
        1 if more quality is better, -1 if less.
    """
    best: list[tuple[str, str]] = []
    for pair in sorted(points, key=lambda pair: (points[pair][0], -better * points[pair][1], pair)):
        if not best or better * points[pair][1] > better * points[best[-1]][1]:
            best.append(pair)
    return best


def _view(
    name: str,
    axis: str,
    logarithmic: bool,
    points: Points,
    primary: Column,
    colours: dict[str, str],
) -> View:
    joined = front(points, primary.better)
    ordered = [*joined, *sorted(set(points) - set(joined))]
    line: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "name": "front",
        "x": theme.short(points[pair][0] for pair in joined),
        "y": theme.short(points[pair][1] for pair in joined),
        "hoverinfo": "skip",
        "line": {"shape": "hv", "color": theme.FAINT, "width": 2},
    }
    positions = [points[pair] for pair in ordered]
    named = scatter.points(positions, ordered, colours, "%{x}<br>%{y}", logarithmic=logarithmic)
    data = [line, *named]
    figure = theme.figure(
        data,
        xaxis={"title": {"text": axis}, **({"type": "log"} if logarithmic else {})},
        yaxis={"title": {"text": primary.title}},
    )
    names = ", ".join(dict.fromkeys(pair[0] for pair in joined))
    summary = f"Scatter of {len(points)} candidates; on the front, the cheapest first: {names}."
    rows = tuple(
        (
            " · ".join(part for part in pair if part),
            f"{points[pair][0]:,.3g}",
            primary.text(points[pair][1]),
            "yes" if pair in joined else "no",
        )
        for pair in ordered
    )
    return View(
        name, figure, summary, Table(("candidate", axis, primary.title, "on the front"), rows)
    )

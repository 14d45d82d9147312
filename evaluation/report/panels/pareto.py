"""What quality costs: fronts of those that nobody beats in both."""

from typing import Any

from evaluation.kinds.columns import COST
from evaluation.leaderboard.column import Column
from evaluation.report import record_select, scatter, theme
from evaluation.report.displays import display_of_all
from evaluation.report.panel import Panel, Record, Table, View

#: Score that is paid with, by what it is called, and whether its axis is logarithmic.
PRICES = (
    (COST.key, "Solve cost", "solve time, times that of the reference", True),
    ("moved_bytes", "Bytes moved", "GB of expert weights moved", False),
    ("ttft_p99_s", "Time to first token", "TTFT, 99th percentile, ms", False),
)
Points = dict[tuple[str, str], tuple[float, float]]


def panel(records: list[Record]) -> Panel | None:
    """Return quality against solve cost, against bytes moved, and against TTFT in serving."""
    found = record_select.finished(records, "scores")
    if not found:
        return None
    display = display_of_all(found)
    if display.primary.within_variant:
        return None  # stages are played on scenarios of their own: one front would mix them
    colours = record_select.colours(records)
    table = record_select.over_scenarios(
        found, (display.primary.key, *(price[0] for price in PRICES))
    )
    columns = {column.key: column for column in display.columns}
    views = []
    for key, name, axis, logarithmic in PRICES:
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
        f"{display.primary.title.capitalize()} (up) against what is paid for it (across), means "
        "over the scenarios. The line joins those that nobody beats in both; whoever is right of "
        "and below it pays more for less.",
        tuple(views),
    )


def front(points: Points, better: int = 1) -> list[tuple[str, str]]:
    """Return who is on the front, the cheapest first: nobody is as cheap and better.

    Parameters
    ----------
    points
        (price, quality) of each; a low price is good.
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
    places = [points[pair] for pair in ordered]
    named = scatter.points(places, ordered, colours, "%{x}<br>%{y}", logarithmic=logarithmic)
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
    return View(name, figure, summary, Table(("candidate", axis, primary.title, "on it"), rows))

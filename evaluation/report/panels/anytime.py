"""Quality by time allowed: anytime curves, where a solver has a knob for it."""

from typing import Any

from evaluation.report import record_select, theme
from evaluation.report.panel import Panel, Record, Table, View

Point = tuple[float, float, str]


def panel(records: list[Record]) -> Panel | None:
    """Return balancedness against solve cost along each recorded curve, a view a scenario."""
    views = []
    found = [one for one in records if one["status"] == "ok" and one.get("cost", {}).get("curve")]
    for place, candidates in record_select.places(found).items():
        curves = {name: curve_of(mine) for name, mine in candidates.items()}
        views.append(_view(place, curves))
    if not views:
        return None
    return Panel(
        "Anytime curves",
        "Balancedness (up) for the solve time allowed (across, times that of the reference "
        "routine timed beside it). A curve that is flat early needs no more time.",
        tuple(views),
    )


def curve_of(records: list[Record]) -> list[Point]:
    """Return (cost ratio, balancedness, what was set) along a curve, by cost.

    A record holds the whole of it, or a point, as the benches write it.
    """
    points = [
        (
            float(one["ratio"]),
            float(one["balancedness"]),
            f"{one.get('parameter', '')} = {one.get('value', '')}",
        )
        for record in records
        for one in record["cost"]["curve"]
    ]
    return sorted(points)


def _view(place: record_select.Place, curves: dict[str, list[Point]]) -> View:
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": theme.short(point[0] for point in points),
            "y": theme.short(point[1] for point in points),
            "text": [point[2] for point in points],
            "hovertemplate": "%{fullData.name}, %{text}<br>%{x} × reference: %{y}<extra></extra>",
            "line": {"color": theme.COLOURS[number % len(theme.COLOURS)]},
        }
        for number, (name, points) in enumerate(curves.items())
    ]
    figure = theme.figure(
        data,
        xaxis={"title": {"text": "solve time, times the reference"}, "type": "log"},
        yaxis={"title": {"text": "balancedness"}},
    )
    gains = {name: points[-1][1] - points[0][1] for name, points in curves.items()}
    most = max(gains, key=lambda name: gains[name])
    summary = f"{len(curves)} curves; {most} gains most from time, {gains[most]:.4f}."
    rows = tuple(
        (name, text, f"{ratio:,.3g}", f"{value:.4f}")
        for name, points in curves.items()
        for ratio, value, text in points
    )
    table = Table(("candidate", "set", "cost ×", "balancedness"), rows)
    return View(place[1], figure, summary, table, place[0])

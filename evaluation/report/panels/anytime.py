"""Anytime curves: quality by solve time, where a solver has a budget."""

from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View

Point = tuple[float, float, str]


def panel(records: list[Record]) -> Panel | None:
    """Return balancedness against solve cost along each curve, a view for each scenario."""
    views = []
    with_curve = [
        record
        for record in records
        if record["status"] == "ok" and record.get("cost", {}).get("curve")
    ]
    for scenario_variant, candidates in panel_data.by_scenario(with_curve).items():
        curves = {name: curve_of(runs) for name, runs in candidates.items()}
        views.append(_view(scenario_variant, curves))
    if not views:
        return None
    return Panel(
        "Anytime curves",
        "Balancedness (up) for the solve time allowed (across, times that of the reference "
        "routine timed with it). A curve that is flat early needs no more time.",
        tuple(views),
    )


def curve_of(records: list[Record]) -> list[Point]:
    """Return (cost ratio, balancedness, budget) along a curve, by cost.

    A record holds the whole curve or, as ``podlab bench`` writes it, one point.
    """
    points = [
        (
            float(point["ratio"]),
            float(point["balancedness"]),
            f"{point.get('parameter', '')} = {point.get('value', '')}",
        )
        for record in records
        for point in record["cost"]["curve"]
    ]
    return sorted(points)


def _view(scenario_variant: panel_data.ScenarioVariant, curves: dict[str, list[Point]]) -> View:
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
    table = Table(("candidate", "budget", "cost ×", "balancedness"), rows)
    return View(scenario_variant[1], figure, summary, table, scenario_variant[0])

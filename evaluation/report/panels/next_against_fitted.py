"""Balancedness on the next window against that on the fitted one."""

from typing import Any

from evaluation.report import panel_data, scatter, theme
from evaluation.report.panel import Panel, Record, Table, View

FITTED, NEXT = "balancedness_fitted", "balancedness_next"
Points = dict[tuple[str, str], dict[str, float]]


def panel(records: list[Record]) -> Panel | None:
    """Return the balancedness of the next window against that of the fitted one."""
    scored = panel_data.finished(records, "scores")
    colours = panel_data.colours(records)
    selections = {"All scenarios": scored}
    names = sorted({record["scenario"]["id"] for record in scored})
    if len(names) > 1:
        selections |= {
            name: [record for record in scored if record["scenario"]["id"] == name]
            for name in names
        }
    views = []
    for name, selected in selections.items():
        table = panel_data.over_scenarios(selected, (FITTED, NEXT))
        points = {pair: row for pair, row in table.items() if len(row) == 2}
        if points:
            views.append(_view(name, points, colours))
    if not views:
        return None
    return Panel(
        "Next against fitted",
        "Balancedness on the window that a solver saw (across) and on the next window (up). On the "
        "dashed line both are equal; the distance below it is what the change of the load costs. "
        "Points further right fit better; points further up perform better.",
        tuple(views),
        wide=True,
    )


def _view(name: str, points: Points, colours: dict[str, str]) -> View:
    ordered = sorted(points, key=lambda pair: (-points[pair][NEXT], pair))
    x = [points[pair][FITTED] for pair in ordered]
    y = [points[pair][NEXT] for pair in ordered]
    places = list(zip(x, y, strict=True))
    hover = "fitted %{x}<br>next %{y}"
    data = [_line([*x, *y]), *scatter.points(places, ordered, colours, hover, width=900)]
    layout = {
        "height": 480,
        "xaxis": {"title": {"text": "balancedness, fitted"}},
        "yaxis": {"title": {"text": "balancedness, next"}},
    }
    best = ordered[0]
    lost = sum(a - b for a, b in zip(x, y, strict=True)) / len(ordered)
    summary = (
        f"Scatter of {len(ordered)} candidates: the best on the next window is {_label(best)} with "
        f"{points[best][NEXT]:.3f}; on average {lost:.3f} of the fitted balancedness is lost."
    )
    rows = [
        (_label(pair), f"{a:.4f}", f"{b:.4f}", f"{a - b:+.4f}")
        for pair, a, b in zip(ordered, x, y, strict=True)
    ]
    table = Table(("candidate", "fitted", "next", "lost"), tuple(rows))
    return View(name, theme.figure(data, **layout), summary, table)


def _line(values: list[float]) -> dict[str, Any]:
    ends = theme.short([min(values), max(values)])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "next = fitted",
        "x": ends,
        "y": ends,
        "hoverinfo": "skip",
        "line": {"color": theme.FAINT, "dash": "dash", "width": 1.5},
    }


def _label(pair: tuple[str, str]) -> str:
    return " · ".join(part for part in pair if part)

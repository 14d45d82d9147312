"""Balancedness of each candidate window by window."""

import statistics
from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.record_display import display_of


def panel(records: list[Record]) -> Panel | None:
    """Return the balancedness of each window, a line for each candidate."""
    if not records or not (display := display_of(records[0])).windows:
        return None
    with_windows = panel_data.finished(records, "windows")
    colours = panel_data.colours(records)
    views = []
    for scenario_variant, candidates in panel_data.by_scenario(with_windows).items():
        lines = panel_data.lines(candidates, "windows", display.windows)
        if lines:
            views.append(_view(scenario_variant, lines, colours))
    if not views:
        return None
    return Panel(
        "Balancedness over time",
        "Balancedness of each window under the placement that was made before it. Dips are shifts "
        "of the load: compare how deep they are and how long they last. The best "
        f"{panel_data.COLOURED} candidates of the suite have a colour.",
        tuple(views),
        wide=True,
    )


def _view(
    scenario_variant: panel_data.ScenarioVariant,
    lines: dict[str, list[float]],
    colours: dict[str, str],
) -> View:
    # the faint ones first, so that colours lie above them
    names = sorted(lines, key=lambda name: colours[name] != theme.FAINT)
    order = list(lines)
    data = [_line(name, lines[name], colours[name], order.index(name)) for name in names]
    if any(colours[name] == theme.FAINT for name in lines):
        data.append(theme.others())
    figure = theme.figure(
        data,
        xaxis={"title": {"text": "window"}, "tickformat": "d"},
        yaxis={"title": {"text": "balancedness"}},
    )
    means = {name: statistics.fmean(values) for name, values in lines.items()}
    best = max(means, key=lambda name: means[name])
    longest = max(map(len, lines.values()))
    summary = (
        f"Lines of {len(lines)} candidates over {longest} windows: {best} has the highest mean, "
        f"{means[best]:.3f}, and is at {min(lines[best]):.3f} in its worst window."
    )
    rows = tuple(
        (name, f"{means[name]:.3f}", f"{min(values):.3f}", f"{max(values):.3f}", _worst(values))
        for name, values in lines.items()
    )
    table = Table(("candidate", "mean", "lowest", "highest", "lowest in window"), rows)
    return View(scenario_variant[1], figure, summary, table, scenario_variant[0])


def _line(name: str, values: list[float], colour: str, rank: int) -> dict[str, Any]:
    faint = colour == theme.FAINT
    return {
        "type": "scatter",
        "mode": "lines" if faint else "lines+markers",
        "name": name,
        "x": list(range(1, len(values) + 1)),
        "y": theme.short(values),
        "line": {"color": colour, "width": 1.5 if faint else 2},
        "marker": {"size": 5},
        "showlegend": not faint,
        "legendgroup": "others" if faint else name,
        "legendrank": 1000 + rank,
        "hovertemplate": "%{fullData.name} %{y}<extra></extra>",
    }


def _worst(values: list[float]) -> str:
    return str(values.index(min(values)) + 1)

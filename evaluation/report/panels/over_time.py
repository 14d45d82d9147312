"""Window by window: who holds, and who falls when the load shifts."""

import statistics
from typing import Any

from evaluation.report import record_select, theme
from evaluation.report.displays import display_of
from evaluation.report.panel import Panel, Record, Table, View


def panel(records: list[Record]) -> Panel | None:
    """Return the balancedness of each window, a line a candidate."""
    if not records or not (display := display_of(records[0])).windows:
        return None
    found = record_select.finished(records, "windows")
    colours = record_select.colours(records)
    views = []
    for place, candidates in record_select.places(found).items():
        lines = record_select.lines(candidates, "windows", display.windows)
        if lines:
            views.append(_view(place, lines, colours))
    if not views:
        return None
    return Panel(
        "Balancedness over time",
        "Each window under the placement that was made before it. Dips are shifts of the load; "
        "what matters is how deep they are and how soon they are over. The best "
        f"{record_select.COLOURED} of the suite have a colour.",
        tuple(views),
        wide=True,
    )


def _view(
    place: record_select.Place, lines: dict[str, list[float]], colours: dict[str, str]
) -> View:
    data: list[dict[str, Any]] = []
    # the faint ones first, so that colours lie above them
    for name in sorted(lines, key=lambda name: colours[name] != theme.FAINT):
        faint = colours[name] == theme.FAINT
        data.append(
            {
                "type": "scatter",
                "mode": "lines" if faint else "lines+markers",
                "name": name,
                "x": list(range(1, len(lines[name]) + 1)),
                "y": theme.short(lines[name]),
                "line": {"color": colours[name], "width": 1.5 if faint else 2},
                "marker": {"size": 5},
                "showlegend": not faint,
                "legendgroup": "others" if faint else name,
                "legendrank": 1000 + list(lines).index(name),
                "hovertemplate": "%{fullData.name} %{y}<extra></extra>",
            }
        )
    faint_ones = [theme.others()] if any(colours[name] == theme.FAINT for name in lines) else []
    figure = theme.figure(
        [*data, *faint_ones],
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
    return View(place[1], figure, summary, table, place[0])


def _worst(values: list[float]) -> str:
    return str(values.index(min(values)) + 1)

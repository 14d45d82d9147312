"""Balancedness by layer, which differs more than by solver."""

from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View
from evaluation.report.record_display import display_of


def panel(records: list[Record]) -> Panel | None:
    """Return the balancedness of each layer, a line for each candidate, and the upper bound."""
    if not records or not (display := display_of(records[0])).layers:
        return None
    colours = panel_data.colours(records)
    views = []
    for scenario_variant, candidates in panel_data.by_scenario(
        panel_data.finished(records, "layers")
    ).items():
        lines = {
            name: values
            for name, runs in candidates.items()
            if (values := panel_data.mean_list(runs, "layers", display.layers))
        }
        if lines and max(map(len, lines.values())) > 1:
            first = next(iter(candidates.values()))
            bound = panel_data.mean_list(first, "layers", display.layers_bound)
            views.append(_view(scenario_variant, lines, bound, colours))
    if not views:
        return None
    return Panel(
        "Balancedness by layer",
        "Mean over the windows of each MoE layer. No placement exceeds the dotted line.",
        tuple(views),
    )


def _view(
    scenario_variant: panel_data.ScenarioVariant,
    lines: dict[str, list[float]],
    bound: list[float],
    colours: dict[str, str],
) -> View:
    data: list[dict[str, Any]] = []
    if bound:
        data.append(_line("upper bound", bound, {"color": theme.FAINT, "dash": "dot", "width": 2}))
    for name in sorted(lines, key=lambda name: colours[name] != theme.FAINT):
        faint = colours[name] == theme.FAINT
        line = _line(name, lines[name], {"color": colours[name], "width": 1 if faint else 2})
        grouped = {"showlegend": not faint, "legendgroup": "others" if faint else name}
        data.append({**line, **grouped})
    if any(colours[name] == theme.FAINT for name in lines):
        data.append(theme.others())
    figure = theme.figure(
        data,
        xaxis={"title": {"text": "MoE layer"}, "tickformat": "d"},
        yaxis={"title": {"text": "balancedness"}},
    )
    worst = {name: min(values) for name, values in lines.items()}
    best = max(worst, key=lambda name: worst[name])
    summary = (
        f"Lines of {len(lines)} candidates over {max(map(len, lines.values()))} layers: "
        f"{best} has the best worst layer, {worst[best]:.3f}."
    )
    rows = tuple(
        (name, f"{sum(values) / len(values):.3f}", f"{min(values):.3f}", _layer(values))
        for name, values in lines.items()
    )
    table = Table(("candidate", "mean", "worst", "in layer"), rows)
    return View(scenario_variant[1], figure, summary, table, scenario_variant[0])


def _line(name: str, values: list[float], line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "y": theme.short(values, 3),
        "line": line,
        "hovertemplate": "layer %{x}: %{y}",
    }


def _layer(values: list[float]) -> str:
    return str(values.index(min(values)))

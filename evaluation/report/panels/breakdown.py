"""Phases of the mean step of each candidate."""

import statistics
from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View

#: Colours of phases; any other phase has the colour OTHER.
PHASES = {
    "attention": "#0072b2",
    "dispatch": "#e69f00",
    "experts": "#009e73",
    "combine": "#f0c04a",
    "waits": "#cc79a7",
    "migration": "#d55e00",
}
OTHER = "#999999"


def panel(records: list[Record]) -> Panel | None:
    """Return the mean step of each candidate, a colour for each phase."""
    views = [
        _view(scenario_variant, {name: phases_of(runs) for name, runs in candidates.items()})
        for scenario_variant, candidates in panel_data.by_scenario(
            panel_data.finished(records, "breakdown")
        ).items()
    ]
    if not views:
        return None
    return Panel(
        "Step breakdown",
        "Milliseconds of the mean step. Better balance shortens only the waits and the time of the "
        "experts, and costs migration.",
        tuple(views),
    )


def phases_of(records: list[Record]) -> dict[str, float]:
    """Return the mean seconds of each phase that any of the records has."""
    names = dict.fromkeys(name for record in records for name in record["breakdown"])
    return {
        name: statistics.fmean(record["breakdown"].get(name, 0.0) for record in records)
        for name in names
    }


def _view(scenario_variant: panel_data.ScenarioVariant, table: dict[str, dict[str, float]]) -> View:
    ordered = sorted(table, key=lambda name: (sum(table[name].values()), name))
    phases = list(dict.fromkeys(phase for row in table.values() for phase in row))
    data: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": phase,
            "x": theme.short(1e3 * table[name].get(phase, 0.0) for name in ordered),
            "y": ordered,
            "hovertemplate": "%{y}: %{x} ms",
            "marker": {"color": PHASES.get(phase, OTHER)},
        }
        for phase in phases
    ]
    figure = theme.figure(
        data,
        height=theme.rows_height(len(ordered)),
        barmode="relative",
        bargap=0.35,
        xaxis={"title": {"text": "milliseconds per step"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    first, last = ordered[0], ordered[-1]
    total_ms = {name: 1e3 * sum(table[name].values()) for name in (first, last)}
    summary = (
        f"The shortest mean step is {first}'s with {total_ms[first]:.3f} ms, the longest {last}'s "
        f"with {total_ms[last]:.3f} ms."
    )
    rows = tuple(
        (
            name,
            *(f"{1e3 * table[name].get(phase, 0.0):.3f}" for phase in phases),
            f"{1e3 * sum(table[name].values()):.3f}",
        )
        for name in ordered
    )
    heading = ("candidate", *(f"{phase} ms" for phase in phases), "all ms")
    return View(scenario_variant[1], figure, summary, Table(heading, rows), scenario_variant[0])

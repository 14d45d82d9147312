"""Where the time of a step goes."""

import statistics
from typing import Any

from evaluation.report import record_select, theme
from evaluation.report.panel import Panel, Record, Table, View

#: Phases that have a colour of their own; any other takes the last.
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
    """Return the mean step of each candidate, a colour a phase."""
    views = [
        _view(place, {name: phases_of(mine) for name, mine in candidates.items()})
        for place, candidates in record_select.places(
            record_select.finished(records, "breakdown")
        ).items()
    ]
    if not views:
        return None
    return Panel(
        "Step breakdown",
        "Milliseconds of the mean step. Balance can only win what is spent in waiting and in the "
        "experts' own time, and pays for it in migration.",
        tuple(views),
    )


def phases_of(records: list[Record]) -> dict[str, float]:
    """Return the mean seconds of each phase that any of the records has."""
    names = dict.fromkeys(name for one in records for name in one["breakdown"])
    return {
        name: statistics.fmean(one["breakdown"].get(name, 0.0) for one in records) for name in names
    }


def _view(place: record_select.Place, table: dict[str, dict[str, float]]) -> View:
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
        xaxis={"title": {"text": "milliseconds a step"}},
        yaxis={"type": "category", "autorange": "reversed"},
    )
    first, last = ordered[0], ordered[-1]
    whole = {name: 1e3 * sum(table[name].values()) for name in (first, last)}
    summary = (
        f"The shortest mean step is {first}'s with {whole[first]:.3f} ms, the longest {last}'s "
        f"with {whole[last]:.3f} ms."
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
    return View(place[1], figure, summary, Table(heading, rows), place[0])

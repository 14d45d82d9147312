"""Heat maps of the load of each rank in each layer."""

from typing import Any

from evaluation.report import panel_data, theme
from evaluation.report.panel import Panel, Record, Table, View

#: Number of candidates drawn in one scenario, and of cells in all maps of a page, to keep it small.
MOST, CELLS = 5, 40_000
#: Number of layers in the table of a map.
NAMED = 5


def panel(records: list[Record]) -> Panel | None:
    """Return the load of each rank in the last window, a map for each candidate."""
    views: list[View] = []
    cells = 0
    for scenario_variant, candidates in panel_data.by_scenario(
        panel_data.finished(records, "rank_load")
    ).items():
        names = list(candidates)
        for name in dict.fromkeys([*names[:MOST], names[-1]]):
            table = candidates[name][0]["rank_load"]
            cells += len(table["relative"]) * len(table["relative"][0])
            if views and cells > CELLS:
                break
            views.append(_view(scenario_variant, name, table))
    if not views:
        return None
    return Panel(
        "Rank load by layer",
        "Load of each rank ÷ mean of its layer, in the last window, under the placement made "
        "before it. A layer takes as long as its heaviest rank. Drawn for the first seed of the "
        f"best {MOST} candidates of a scenario and of its last one.",
        tuple(views),
    )


def _view(scenario_variant: panel_data.ScenarioVariant, name: str, table: dict[str, Any]) -> View:
    layers, rows = [str(layer) for layer in table["layers"]], table["relative"]
    # symmetric around the mean, which then has the colour in the middle
    span = max(0.1, max(abs(value - 1) for row in rows for value in row))
    heat = {
        "type": "heatmap",
        "z": [theme.short(row, 3) for row in rows],
        "y": layers,
        "zmin": round(1 - span, 3),
        "zmax": round(1 + span, 3),
        "hovertemplate": "layer %{y}, rank %{x}<br>%{z} × mean<extra></extra>",
        "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": "× mean"}},
        # the page sets the colours; the middle one is its background
        "meta": "diverging",
    }
    figure = theme.figure(
        [heat],
        height=max(320, 130 + 11 * len(layers)),
        xaxis={"title": {"text": "rank"}, "showgrid": False},
        yaxis={"title": {"text": "MoE layer"}, "type": "category", "showgrid": False},
    )
    peaks = sorted(
        ((max(row), layer, row.index(max(row))) for layer, row in zip(layers, rows, strict=True)),
        key=lambda peak: (-peak[0], peak[1]),
    )
    mean = sum(peak[0] for peak in peaks) / len(peaks)
    summary = (
        f"{len(layers)} layers on {len(rows[0])} ranks under {name}: the heaviest rank has "
        f"{peaks[0][0]:.2f} times the mean, in layer {peaks[0][1]}; on average the heaviest of a "
        f"layer has {mean:.2f} times it."
    )
    cells = tuple((layer, str(rank), f"{peak:.3f}") for peak, layer, rank in peaks[:NAMED])
    shown = Table(("heaviest layers", "rank", "times the mean"), cells)
    return View(name, figure, summary, shown, " · ".join(part for part in scenario_variant if part))

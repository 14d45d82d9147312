"""The picture of traces: load of each expert, load over time, and sorted load."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.analysis.trace_loads import heaviest_over_time, relative_load, sorted_load
from evaluation.analysis.trace_table import describe_trace, statistics_table
from evaluation.report import plot_page, theme
from evaluation.report.panel import Table
from evaluation.report.plot import Plot
from traces.statistics import Summary

Array = NDArray[np.float64]

#: Colours end at this many doublings above and below the mean.
DOUBLINGS = 4
#: Marks of the colour scale, in doublings of the mean.
MARKS = {-4: "1/16", -2: "1/4", 0: "mean", 2: "4 ×", 4: "16 ×"}
ROW, MAP_MARGIN = 14, 90


def write(summaries: Mapping[str, Summary], path: Path) -> None:
    """Write the picture of traces.

    Parameters
    ----------
    summaries
        Summaries by the names of their traces.
    path
        As in :func:`evaluation.report.plot_page.write`.

    Raises
    ------
    ValueError, ImportError
        As in :func:`evaluation.report.plot_page.write`.
    """
    lines = [f"{name}: {describe_trace(summary)}" for name, summary in summaries.items()]
    headings, rows = statistics_table(summaries)
    table = Table(headings, rows, words=(len(headings) - 1,))
    page_text = plot_page.PageText(lines, tables_below={"Statistics, mean of layers": table})
    plot_page.write(path, ", ".join(summaries), plots(summaries), page_text)


def plots(summaries: Mapping[str, Summary]) -> list[Plot]:
    """Return two heat maps for each trace, and the sorted loads of all."""
    maps = [
        plot
        for name, summary in summaries.items()
        for plot in (_load_map(name, summary), _time_map(name, summary))
    ]
    return [*maps, _curves(summaries)]


def _load_map(name: str, summary: Summary) -> Plot:
    figure = theme.figure(
        [
            _heat_map(relative_load(summary))
            | {"hovertemplate": "layer %{y}, expert %{x}: %{customdata:.2f} × mean<extra></extra>"}
        ],
        height=MAP_MARGIN + max(ROW * min(summary.layers, 32), 120),
        xaxis={"title": {"text": "expert"}, "showgrid": False},
        yaxis={"title": {"text": "layer"}, "autorange": "reversed", "showgrid": False},
    )
    caption = "Load of each expert over the mean of its layer, in the whole trace."
    return Plot(f"{name}: load", caption, figure)


def _time_map(name: str, summary: Summary) -> Plot:
    heaviest = heaviest_over_time(summary)
    labels = [f"{layer}/{expert}" for layer, expert in heaviest.experts]
    figure = theme.figure(
        [
            _heat_map(heaviest.load)
            | {
                "y": labels,
                "hovertemplate": "layer/expert %{y}, column %{x}: %{customdata:.2f} × mean"
                "<extra></extra>",
            }
        ],
        height=MAP_MARGIN + max(ROW * len(labels), 120),
        xaxis={"title": {"text": _time_axis(summary)}, "showgrid": False},
        yaxis={
            "title": {"text": "layer/expert"},
            "type": "category",
            "autorange": "reversed",
            "showgrid": False,
        },
    )
    caption = f"Load of the {len(labels)} heaviest experts over the mean of their layer."
    return Plot(f"{name}: heaviest experts over time", caption, figure)


def _time_axis(summary: Summary) -> str:
    steps = "1 step" if summary.window_steps == 1 else f"{summary.window_steps:,} steps"
    each = "" if summary.bin_windows == 1 else f", {summary.bin_windows} in a column"
    return f"{summary.windows:,} windows of {steps}{each}"


def _heat_map(relative: Array) -> dict[str, Any]:
    """Return a heat map of loads over the mean, on a logarithmic scale around the mean.

    A load of zero has the colour of the lower end; no load at all (NaN) is a gap.
    """
    with np.errstate(divide="ignore"):
        doublings = np.clip(np.log2(relative), -DOUBLINGS, DOUBLINGS)
    return {
        "type": "heatmap",
        "z": doublings,
        "customdata": relative,
        "zmin": -DOUBLINGS,
        "zmax": DOUBLINGS,
        "hoverongaps": False,
        "meta": theme.DIVERGING,
        "colorbar": {"tickvals": list(MARKS), "ticktext": list(MARKS.values()), "thickness": 12},
    }


def _curves(summaries: Mapping[str, Summary]) -> Plot:
    data: list[dict[str, Any]] = []
    for number, (name, summary) in enumerate(summaries.items()):
        load = sorted_load(summary)
        # Experts as a share, so that models with different numbers of experts compare.
        share = (np.arange(len(load)) + 0.5) / len(load)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": share,
                "y": load,
                "line": {"color": theme.COLOURS[number % len(theme.COLOURS)]},
                "hovertemplate": "%{x:.1%} of the experts are heavier: %{y:.2f} × mean",
            }
        )
    even = {
        "type": "scatter",
        "mode": "lines",
        "name": "even",
        "x": [0, 1],
        "y": [1, 1],
        "line": {"color": theme.FAINT, "dash": "dash"},
        "hoverinfo": "skip",
    }
    figure = theme.figure(
        [*data, even],
        xaxis={"title": {"text": "experts, heaviest first"}, "tickformat": ".0%"},
        yaxis={"title": {"text": "load over mean"}, "rangemode": "tozero"},
    )
    caption = "Loads from the heaviest expert of a layer to the lightest, averaged over the layers."
    return Plot("Sorted load", caption, figure, wide=True)

"""The plots of a serving simulation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.report import theme
from evaluation.report.downsample import cumulative_shares, downsampled
from evaluation.report.plot import Plot
from evaluation.report.theme import COLOURS
from evaluation.serving.results.executor_summary import Columns
from evaluation.serving.results.result import Result
from evaluation.serving.results.slo import tpot_s, ttft_s

#: Most points of one line, and of all lines together, so that a page stays below 8 MB.
POINTS, ALL_POINTS = 2_000, 150_000
HEIGHT = 340
LIMIT_COLOUR = "#d55e00"
STAGES = {
    "attention": "#0072b2",
    "wait for attention": "#56b4e9",
    "experts": "#009e73",
    "wait for experts": "#86d3b5",
    "communication": "#e69f00",
    "other": "#999999",
}


@dataclass(frozen=True)
class Series:
    """A quantity of every task executor over time.

    Parameters
    ----------
    title, caption, unit
        Name of the plot, how to read it, and the title of its axis.
    values
        Function from the samples of an executor to values [samples]; nan is left out.
    holds
        Whether a value holds until the next sample. If not, it is of the interval before.
    """

    title: str
    caption: str
    unit: str
    values: Callable[[Columns], NDArray[np.float64]]
    holds: bool = False


SERIES = (
    Series(
        "Running",
        "Requests in the batch of each task executor. A flat top is a batch limit.",
        "requests",
        lambda columns: columns["running"].astype(float),
        holds=True,
    ),
    Series(
        "Waiting",
        "Requests in the queue. A queue that only grows means that the executor is overloaded.",
        "requests",
        lambda columns: columns["waiting"].astype(float),
        holds=True,
    ),
    Series(
        "KV cache in use",
        "Part of the key-value cache in use. Near 100 %, requests wait or are preempted.",
        "part of capacity",
        lambda columns: _ratio(columns["kv_used"], columns["kv_capacity"]),
        holds=True,
    ),
    Series(
        "Output tokens per second",
        "Output tokens between two samples over the time between them.",
        "tokens/s",
        lambda columns: _ratio(columns["tokens"], np.diff(columns["time_s"], prepend=0.0)),
    ),
    Series(
        "DP imbalance",
        "Load of the heaviest DP group over the mean, averaged over the steps between two samples. "
        "At 1 all groups have the same load.",
        "max / mean",
        lambda columns: _ratio(columns["dp_imbalance"], columns["steps"]),
    ),
    Series(
        "Barrier idle",
        "Part of the time in steps that the mean DP group or rank waits for the slowest one.",
        "part of step time",
        lambda columns: _ratio(columns["barrier_idle_s"], columns["busy_s"]),
    ),
)


def plots(result: Result) -> list[Plot]:
    """Return the plots of a simulation, in the order of the page."""
    log, slo = result.log, result.slo
    tokens = {"first token": ttft_s(log), "second token": log.second_token_s - log.arrival_s}
    return [
        _distribution(
            "Time to first and second token",
            "Share of the requests that had the token within a time from their arrival",
            tokens,
            slo.ttft_s,
        ),
        _distribution(
            "Time per output token",
            "Share of the finished requests whose mean time for each token after the first was at "
            "most this",
            {"TPOT": tpot_s(log)},
            slo.tpot_s,
        ),
        *(_over_time(result, series) for series in SERIES),
        _steps(result),
    ]


def _distribution(
    title: str, caption: str, times_s: dict[str, NDArray[np.float64]], limit_s: float
) -> Plot:
    data = []
    for number, (name, values) in enumerate(times_s.items()):
        times, share = cumulative_shares(values, POINTS)
        data.append(_line(name, times, share, {"color": COLOURS[number], "shape": "hv"}))
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "seconds"}, "rangemode": "tozero"},
        "yaxis": {
            "title": {"text": "share of requests"},
            "range": [0, 1.02],
            "tickformat": ".0%",
        },
    }
    if np.isfinite(limit_s):
        ends = {"x0": limit_s, "x1": limit_s, "y0": 0, "y1": 1, "yref": "paper"}
        line = {"color": LIMIT_COLOUR, "dash": "dash", "width": 1}
        layout["shapes"] = [{"type": "line", "line": line, **ends}]
        caption += f"; dashed: the SLO of {limit_s:g} s"
    return Plot(title, f"{caption}.", theme.figure(data, height=HEIGHT, **layout))


def _over_time(result: Result, series: Series) -> Plot:
    points = max(2, min(POINTS, ALL_POINTS // (len(SERIES) * max(len(result.executors), 1))))
    shape = "hv" if series.holds else "linear"
    data = []
    for number, name in enumerate(result.executors):
        columns = result.samples.of(number)
        values = series.values(columns)
        known = ~np.isnan(values)
        time_s, values = downsampled(columns["time_s"][known], values[known], points)
        line = {"color": COLOURS[number % len(COLOURS)], "width": 1.5, "shape": shape}
        data.append(_line(name, time_s, values, line))
    up: dict[str, Any] = {
        "title": {"text": series.unit},
        "rangemode": "normal" if series.unit == "max / mean" else "tozero",
    }
    if series.unit.startswith("part of"):
        up["tickformat"] = ".3~p"
    across = {"title": {"text": "simulated seconds"}}
    return Plot(
        series.title,
        series.caption,
        theme.figure(data, height=HEIGHT, xaxis=across, yaxis=up),
    )


def _line(
    name: str, x: NDArray[np.float64], y: NDArray[np.float64], line: dict[str, Any]
) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "line": line}


def _steps(result: Result) -> Plot:
    """Return the mean step of each executor as a bar of milliseconds, a colour for each stage."""
    executors = {
        name: summary for name, summary in result.summary["executors"].items() if summary["steps"]
    }
    mean_ms = {
        stage: [
            1e3 * summary["seconds"][stage] / summary["steps"] for summary in executors.values()
        ]
        for stage in STAGES
    }
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": stage,
            "x": mean_ms[stage],
            "y": list(executors),
            "marker": {"color": colour},
        }
        for stage, colour in STAGES.items()
    ]
    figure = theme.figure(
        data,
        height=max(HEIGHT, theme.rows_height(len(executors))),
        barmode="relative",
        xaxis={"title": {"text": "milliseconds per step"}},
        yaxis={"autorange": "reversed", "type": "category"},
    )
    caption = (
        "Mean step of each task executor: the mean DP group and rank, their wait for the slowest "
        "one, and both all-to-alls. The rest, the host's gap included, is other. The bar "
        "left of zero is the overlap of stages."
    )
    return Plot("Step breakdown", caption, figure)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part over whole; nan where the whole is 0."""
    positive = whole > 0
    return np.where(positive, part / np.where(positive, whole, 1), np.nan)

"""The plots of a serving report: what each shows, and its Plotly figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.report.downsample import shares, thinned
from evaluation.report.theme import COLOURS
from evaluation.serving.results.executor_summary import Columns
from evaluation.serving.results.result import Result
from evaluation.serving.results.slo import tpot_s, ttft_s

#: Most points of one trace, and of all traces together, so that a page stays below 8 MB.
POINTS, ALL_POINTS = 2_000, 150_000
STAGES = {
    "attention": "#0072b2",
    "wait for attention": "#56b4e9",
    "experts": "#009e73",
    "wait for experts": "#86d3b5",
    "communication": "#e69f00",
    "other": "#999999",
}


@dataclass(frozen=True, eq=False)
class Plot:
    """One plot of a report.

    Parameters
    ----------
    title, caption
        What it is, and what is seen in it.
    figure
        A ``plotly.graph_objects.Figure`` without colours of paper, text and grid.
    """

    title: str
    caption: str
    figure: Any


@dataclass(frozen=True)
class Series:
    """What is drawn of every task executor over time.

    Parameters
    ----------
    title, caption, unit
        What it is, what is seen in it, and the axis.
    of
        From the samples of an executor to values [samples]; nan is left out.
    lasting
        Whether a value holds until the next sample, and not for the interval before.
    """

    title: str
    caption: str
    unit: str
    of: Callable[[Columns], NDArray[np.float64]]
    lasting: bool = False


SERIES = (
    Series(
        "Running",
        "Requests in batches, of every task executor. A flat top is a batch limit.",
        "requests",
        lambda columns: columns["running"].astype(float),
        lasting=True,
    ),
    Series(
        "Waiting",
        "Requests in queues. A queue that only grows says that the executor is overloaded.",
        "requests",
        lambda columns: columns["waiting"].astype(float),
        lasting=True,
    ),
    Series(
        "KV cache in use",
        "Key-value cache held, to all there is. Near 100 %, requests are held back or preempted.",
        "part of capacity",
        lambda columns: _ratio(columns["kv_used"], columns["kv_capacity"]),
        lasting=True,
    ),
    Series(
        "Output tokens a second",
        "Output tokens between two samples, to the time between them.",
        "tokens/s",
        lambda columns: _ratio(columns["tokens"], np.diff(columns["time_s"], prepend=0.0)),
    ),
    Series(
        "DP imbalance",
        "Load of the heaviest DP group to that of the mean one, averaged over the steps between "
        "two samples. At 1 all groups are alike.",
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
    """Return the plots of a simulation, in the order of the page; all requests are in them."""
    log, slo = result.log, result.slo
    first = {"first token": ttft_s(log), "second token": log.second_token_s - log.arrival_s}
    return [
        _shares(
            "Time to first and second token",
            "Share of the requests whose token came within a time from their arrival",
            first,
            slo.ttft_s,
        ),
        _shares(
            "Time per output token",
            "Share of the finished requests that took at most a time for each token after the "
            "first, on average",
            {"TPOT": tpot_s(log)},
            slo.tpot_s,
        ),
        *(_over_time(result, series) for series in SERIES),
        _steps(result),
    ]


def _shares(
    title: str, caption: str, lines: dict[str, NDArray[np.float64]], limit_s: float
) -> Plot:
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, (name, values) in enumerate(lines.items()):
        found, share = shares(values, POINTS)
        line = {"color": COLOURS[number], "shape": "hv"}
        trace = go.Scatter(x=_short(found), y=_short(share), name=name, mode="lines", line=line)
        figure.add_trace(trace)
    if np.isfinite(limit_s):
        figure.add_vline(x=limit_s, line={"color": "#d55e00", "dash": "dash", "width": 1})
        caption += f"; dashed: the SLO of {limit_s:g} s"
    figure.update_xaxes(title="seconds", rangemode="tozero")
    figure.update_yaxes(title="share of requests", range=[0, 1.02], tickformat=".0%")
    return Plot(title, f"{caption}.", figure)


def _over_time(result: Result, series: Series) -> Plot:
    import plotly.graph_objects as go

    figure = go.Figure()
    points = max(2, min(POINTS, ALL_POINTS // (len(SERIES) * max(len(result.executors), 1))))
    for number, name in enumerate(result.executors):
        columns = result.samples.of(number)
        values = series.of(columns)
        known = ~np.isnan(values)
        time_s, values = thinned(columns["time_s"][known], values[known], points)
        shape = "hv" if series.lasting else "linear"
        line = {"color": COLOURS[number % len(COLOURS)], "width": 1.5, "shape": shape}
        trace = go.Scatter(x=_short(time_s), y=_short(values), name=name, mode="lines", line=line)
        figure.add_trace(trace)
    figure.update_xaxes(title="simulated seconds")
    least = "normal" if series.unit == "max / mean" else "tozero"
    figure.update_yaxes(title=series.unit, rangemode=least)
    if series.unit.startswith("part of"):
        figure.update_yaxes(tickformat=".0%")
    return Plot(series.title, series.caption, figure)


def _steps(result: Result) -> Plot:
    """Bars of milliseconds of the mean step, a bar an executor, a colour a stage."""
    import plotly.graph_objects as go

    found = {name: one for name, one in result.summary["executors"].items() if one["steps"]}
    figure = go.Figure()
    for stage, colour in STAGES.items():
        spent = [1e3 * one["seconds"][stage] / one["steps"] for one in found.values()]
        bar = go.Bar(x=spent, y=list(found), name=stage, orientation="h", marker={"color": colour})
        figure.add_trace(bar)
    figure.update_layout(barmode="relative")
    figure.update_xaxes(title="milliseconds a step")
    figure.update_yaxes(autorange="reversed", type="category")
    caption = (
        "What the mean step of every task executor consists of: the mean DP group and rank, their "
        "wait for the slowest, both all-to-alls. The other is the host's gap and whatever is no "
        "stage; left of zero, stages overlap by that much."
    )
    return Plot("Step breakdown", caption, figure)


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return part to whole, nan where there is no whole."""
    some = whole > 0
    return np.where(some, part / np.where(some, whole, 1), np.nan)


def _short(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float32]:
    """Return what is drawn in seven figures, half as many bytes."""
    return np.asarray(values, np.float32)

"""Plots draw what the logs hold."""

import dataclasses

import numpy as np
import pytest

from evaluation.report import serving_plots
from evaluation.serving.engine.sample_log import ExecutorState, SampleLog
from evaluation.serving.engine.step_totals import StepTotals
from evaluation.serving.results.slo import Slo


@pytest.fixture
def plots(result):
    """The plots by title."""
    return {plot.title: plot for plot in serving_plots.plots(result)}


def traces_of(plot):
    """Return x and y of every trace, by name."""
    return {trace["name"]: (list(trace["x"]), list(trace["y"])) for trace in plot.figure["data"]}


def test_distributions_are_of_all_requests_that_have_the_time(plots):
    """Three first tokens, two second ones, one TPOT."""
    shown = traces_of(plots["Time to first and second token"])
    assert shown["first token"] == ([0.5, 0.5, 1.0], pytest.approx([1 / 3, 2 / 3, 1]))
    assert shown["second token"] == ([1.5, 2.0], [0.5, 1.0])
    assert traces_of(plots["Time per output token"]) == {"TPOT": ([0.5], [1.0])}


def test_the_slo_is_drawn_where_there_is_one(plots, result):
    """A dashed line, explained in the caption; none at infinity."""
    plot = plots["Time per output token"]
    assert plot.figure["layout"]["shapes"][0]["x0"] == 0.25
    assert plot.caption.endswith("dashed: the SLO of 0.25 s.")
    without = dataclasses.replace(result, slo=Slo())
    assert "shapes" not in serving_plots.plots(without)[1].figure["layout"]


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("Running", [1, 2, 1]),
        ("Waiting", [0, 0, 0]),
        ("KV cache in use", [0.25, 0.5, 0.25]),
        ("Output tokens per second", [1 / 3, 1 / 3, 1 / 3]),
        ("DP imbalance", [1.25, 1.25, 1.25]),
        ("Barrier idle", [0.25, 0.25, 0.25]),
    ],
)
def test_series_are_of_every_executor_over_time(plots, title, values):
    """Decode at 3, 6 and 9 s; prefill has a trace of its own."""
    shown = traces_of(plots[title])
    assert list(shown) == ["prefill 0", "decode 0"]
    time_s, drawn = shown["decode 0"]
    assert time_s == [3, 6, 9]
    assert drawn == pytest.approx(values)


def test_an_interval_without_steps_has_no_imbalance(plots):
    """Prefill had none before its first sample."""
    assert traces_of(plots["DP imbalance"])["prefill 0"] == ([3.0], [1.0])


def test_a_step_breaks_down_into_milliseconds(plots):
    """Decode: 12 steps of 500 ms, of which attention 125 and its wait 62.5."""
    bars = {
        bar["name"]: dict(zip(bar["y"], bar["x"], strict=True))
        for bar in plots["Step breakdown"].figure["data"]
    }
    assert bars["attention"]["decode 0"] == pytest.approx(125)
    assert bars["wait for attention"]["decode 0"] == pytest.approx(62.5)
    assert sum(stage["decode 0"] for stage in bars.values()) == pytest.approx(500)
    assert sum(stage["prefill 0"] for stage in bars.values()) == pytest.approx(750)


def test_traces_share_the_points_of_a_page(result):
    """Many executors with many samples stay within 2,000 points each and the whole."""
    names = tuple(f"decode {number}" for number in range(40))
    samples = SampleLog(names)
    totals = StepTotals(1, 1, 0.5, 0.25, dp_imbalance=1.5)
    for number in range(len(names)):
        for time_s in np.arange(1.0, 2_100.0):
            samples.add(time_s, number, ExecutorState(int(time_s) % 7, 1, 1, 2), totals)
    many = dataclasses.replace(result, executors=names, samples=samples)
    lengths = [
        len(trace["x"]) for plot in serving_plots.plots(many) for trace in plot.figure["data"]
    ]
    assert max(lengths) <= 2_000
    assert sum(lengths) <= 160_000

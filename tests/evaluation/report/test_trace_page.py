"""The picture of traces shows loads on a logarithmic scale around the mean."""

import json
import re

import numpy as np
import pytest

import traces
from evaluation.report import theme, trace_page
from traces.statistics import summarise


@pytest.fixture(scope="module")
def summaries():
    """Two traces of different shape; the first has an idle layer and an expert without load.

    In layer 0 of "a <b>" expert 0 has 32 of 64 tokens (4 times the mean of 8), the last none, and
    the others share the rest. Layer 1 is idle.
    """
    counts = np.zeros((5, 2, 8), int)
    counts[:, 0] = [32, 8, 8, 8, 4, 2, 2, 0]
    return {
        "a <b>": summarise(traces.RoutingTrace(counts, "toy", 2)),
        "other": summarise(traces.RoutingTrace(np.ones((5, 2, 4), int), "toy", 2), 2),
    }


def test_two_maps_for_each_trace_and_one_plot_of_curves(summaries):
    """The two maps of a trace share a row, the curves take the whole width."""
    plots = trace_page.plots(summaries)
    assert [(plot.title, plot.wide) for plot in plots] == [
        ("a <b>: load", False),
        ("a <b>: heaviest experts over time", False),
        ("other: load", False),
        ("other: heaviest experts over time", False),
        ("Sorted load", True),
    ]


def test_a_map_is_in_doublings_of_the_mean(summaries):
    """4 times the mean is 2, a quarter -2; no load is the lower end, an idle layer a gap."""
    (heat,) = trace_page.plots(summaries)[0].figure["data"]
    assert heat["z"][0] == pytest.approx([2, 0, 0, 0, -1, -2, -2, -4])
    assert np.isnan(heat["z"][1]).all()
    assert (heat["zmin"], heat["zmax"]) == (-4, 4)
    assert heat["customdata"][0] == pytest.approx([4, 1, 1, 1, 0.5, 0.25, 0.25, 0])
    assert heat["meta"] == theme.DIVERGING


def test_the_scale_is_marked_in_times_the_mean(summaries):
    """A mark at every second doubling, from a 16th to 16 times."""
    (heat,) = trace_page.plots(summaries)[0].figure["data"]
    assert heat["colorbar"]["tickvals"] == [-4, -2, 0, 2, 4]
    assert heat["colorbar"]["ticktext"] == ["1/16", "1/4", "mean", "4 ×", "16 ×"]


def test_rows_over_time_are_named(summaries):
    """The heaviest expert is at the top; the axis says how long a column is."""
    figure = trace_page.plots(summaries)[1].figure
    assert figure["data"][0]["y"][0] == "0/0"
    assert figure["layout"]["yaxis"]["autorange"] == "reversed"
    assert figure["layout"]["xaxis"]["title"]["text"] == "5 windows of 1 step"


def test_curves_of_all_traces_share_one_plot(summaries):
    """Experts are shares, so that traces with different numbers of experts compare."""
    first, second, even = trace_page.plots(summaries)[-1].figure["data"]
    assert (first["name"], second["name"], even["name"]) == ("a <b>", "other", "even")
    assert first["y"][0] == pytest.approx(4)
    assert second["x"] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    assert second["y"] == pytest.approx([1, 1, 1, 1])


def test_the_page_has_the_numbers_too(summaries, tmp_path):
    """The page holds plots and table; names are escaped, and every figure is JSON."""
    path = tmp_path / "p.html"
    trace_page.write(summaries, path)
    page = path.read_text(encoding="utf-8")
    assert '<th scope="row">gini</th>' in page
    assert "a &lt;b&gt;: load" in page
    assert "a <b>" not in page
    figures = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert [len(json.loads(figure)["data"]) for figure in figures] == [1, 1, 1, 1, 3]


def test_an_idle_trace_is_drawn(tmp_path):
    """A trace without tokens is all gaps, and raises no warning."""
    idle = summarise(traces.RoutingTrace(np.zeros((2, 2, 4), int), "toy", 1))
    trace_page.write({"idle": idle}, tmp_path / "idle.html")

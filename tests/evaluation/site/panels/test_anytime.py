"""Curves of quality by time allowed."""

from evaluation.site.candidates import labelled
from evaluation.site.panels.anytime import panel
from tests.evaluation.site import made


def test_points_are_in_order_of_cost():
    """A curve is drawn from cheap to dear, each point saying what was set."""
    curve = [
        {"parameter": "budget", "value": 9, "ratio": 9.0, "balancedness": 0.9},
        {"parameter": "budget", "value": 1, "ratio": 1.0, "balancedness": 0.8},
    ]
    view = panel(labelled([made.solver(cost={"ratio": 1.0, "curve": curve})])).views[0]
    (line,) = view.figure["data"]
    assert line["x"] == [1.0, 9.0]
    assert line["text"] == ["budget = 1", "budget = 9"]
    assert "gains most from time, 0.1000" in view.summary

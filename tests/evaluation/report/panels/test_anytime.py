"""Curves of quality by time allowed."""

from evaluation.report import panel_data
from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.anytime import panel
from tests.evaluation.report import made


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


def test_points_of_several_records_make_a_curve():
    """The suite of matrices writes a record a point; they are no candidates of their own."""
    records = [made.solver("tuned")]
    for value in (9, 1):
        point = {"parameter": "budget", "value": value, "ratio": value, "balancedness": 0.9}
        known = {"parameters": {"budget": value}, "anytime": {"parameter": "budget"}}
        records.append(made.solver("tuned", cost={"ratio": value, "curve": [point]}, **known))
    shown = labelled(records)
    (line,) = panel(shown).views[0].figure["data"]
    assert (line["name"], line["x"]) == ("tuned", [1.0, 9.0])
    assert len(panel_data.finished(shown)) == 1

"""Bars of the busiest links."""

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.links import panel
from tests.evaluation.report import made


def test_the_busiest_comes_first():
    """Links are in order of how busy they are, with how many others are alike."""
    (bar,) = panel(labelled([made.solver()])).views[0].figure["data"]
    assert bar["y"] == ["die0.1 – l1", "die0.0 – l1 (+3)"]
    assert bar["x"] == [50.0, 25.0]

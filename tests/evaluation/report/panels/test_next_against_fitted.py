"""The central plot: promise across, outcome up."""

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.next_against_fitted import panel
from tests.evaluation.report import made


def test_points_are_means_over_scenarios():
    """The first view has a point a candidate and dispatcher, means over both scenarios."""
    shown = panel(labelled(made.suite()))
    assert [view.name for view in shown.views] == ["All scenarios", "calm", "shift"]
    line, even, entry, optimal, _ = shown.views[0].figure["data"]
    assert (even["name"], optimal["name"]) == ("even", "optimal")
    assert even["showlegend"] is False
    assert entry["marker"]["symbol"] == even["marker"]["symbol"]
    assert even["customdata"] == ["robust", "greedy", "contiguous"]
    assert even["x"] == [0.85, 0.8, 0.4]
    assert even["y"] == [0.75, 0.7, 0.3]
    assert line["x"] == line["y"] == [0.3, 0.85]


def test_the_sentence_says_what_is_lost():
    """The summary names the best and the mean loss."""
    summary = panel(labelled(made.suite())).views[0].summary
    assert "robust · even with 0.750" in summary
    assert "0.100 of the fitted balancedness is lost" in summary

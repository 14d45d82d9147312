"""Distributions of what requests see."""

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.latency import panel
from tests.evaluation.report import made


def test_percentiles_make_a_curve():
    """101 percentiles run from none to all requests; the table names three of them."""
    views = panel(labelled([made.scheduler()])).views
    assert [(view.group, view.name) for view in views] == [
        ("hour", "TTFT · job"),
        ("hour", "TPOT · job"),
    ]
    (line,) = views[0].figure["data"]
    assert (line["y"][0], line["y"][50], line["y"][-1]) == (0.0, 0.5, 1.0)
    assert line["x"][-1] == 1100.0
    assert views[0].table.rows == (("round-robin", "600.0", "1,000.0", "1,090.0"),)


def test_empty_distributions_are_left_out():
    """A scheduler under which nothing finished has no curve."""
    nothing = made.scheduler() | {"distribution": {"ttft_s": [], "tpot_s": []}}
    assert panel(labelled([nothing])) is None

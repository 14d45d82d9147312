"""Lines over windows, the best in colour."""

from evaluation.report import theme
from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.over_time import panel
from tests.evaluation.report import made


def test_seeds_are_averaged():
    """Two seeds make one line, their mean."""
    records = [made.solver(seed=seed, quality=0.8 + 0.1 * seed) for seed in (0, 1)]
    (line,) = panel(labelled(records)).views[0].figure["data"]
    assert line["y"] == [0.85, 0.84, 0.83, 0.82, 0.81]
    assert line["x"] == [1, 2, 3, 4, 5]


def test_many_lines_share_a_legend():
    """Candidates without a colour share one entry of the legend."""
    many = labelled([made.solver(f"s{n:02}", quality=0.9 - 0.01 * n) for n in range(10)])
    data = panel(many).views[0].figure["data"]
    shown = [trace["name"] for trace in data if trace.get("showlegend", True)]
    assert shown == [f"s{n:02}" for n in range(7)] + ["others"]
    assert [trace["line"]["color"] for trace in data[:3]] == [theme.FAINT] * 3


def test_forecasts_have_their_own_list():
    """Of forecasters the balance under the even split is drawn."""
    (line,) = panel(labelled([made.forecaster()])).views[0].figure["data"]
    assert line["y"] == [0.8, 0.7]

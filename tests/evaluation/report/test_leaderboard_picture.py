"""The picture of a leaderboard shows scores and their intervals."""

import numpy as np
import pytest

from evaluation.kinds import named
from evaluation.report import leaderboard_picture
from evaluation.report.leaderboard_picture import ScoreInterval
from tests.evaluation.leaderboard.made import failed, record, scheduler

SCORES = (
    ScoreInterval(1, "good", "optimal", 0.75, (0.5, 0.875)),
    ScoreInterval(2, "fair", "even", 0.5, None),
    ScoreInterval(2, "good", "even", 0.25, (0.125, 0.5)),
)


@pytest.fixture
def figure():
    """The plot of three scores of two candidates."""
    return leaderboard_picture.plot(SCORES, "efficiency").figure


def test_a_row_for_each_candidate_the_best_at_the_top(figure):
    """Rows are counted from the top; a variant keeps its place within the rows."""
    axis = figure["layout"]["yaxis"]
    assert axis["ticktext"] == ["good", "fair"]
    assert axis["range"][0] > axis["range"][1]
    optimal, even = figure["data"]
    assert (optimal["name"], even["name"]) == ("optimal", "even")
    assert optimal["y"] == pytest.approx([0 - 0.17])
    assert even["y"] == pytest.approx([1 + 0.17, 0 + 0.17])


def test_intervals_are_error_bars(figure):
    """Bars reach from the score to the ends; without interval there is no bar. Hover adds rank."""
    optimal, even = figure["data"]
    assert optimal["x"] == [0.75]
    assert optimal["error_x"]["array"] == [0.125]  # 0.875 - 0.75
    assert optimal["error_x"]["arrayminus"] == [0.25]  # 0.75 - 0.5
    assert even["error_x"]["array"] == [0.0, 0.25]
    assert even["customdata"][1] == ["good", 2, 0.125, 0.5]


def test_one_variant_needs_no_legend():
    """Its points are in the middle of the rows."""
    figure = leaderboard_picture.plot(SCORES[:1], "efficiency").figure
    assert not figure["layout"]["showlegend"]
    assert figure["data"][0]["y"] == [0.0]


def test_solvers_are_drawn_as_they_are_ranked(tmp_path):
    """Rows and intervals are those of the ranking; failures have none."""
    ideal = np.linspace(0.5, 0.9, 8)
    records = [record("good", ideal), record("bad", ideal - 0.25), failed("broken")]
    path = tmp_path / "p.html"
    leaderboard_picture.write(named("solver").ranking(records), path, "toy-v1")
    text = path.read_text(encoding="utf-8")
    assert '"ticktext":["good","bad"]' in text
    assert "<h1>toy-v1</h1>" in text
    assert "broken" not in text


def test_schedulers_are_drawn_by_stage(tmp_path):
    """Rows name the stage; the score is goodput over that of the reference, 1 and 2 here."""
    records = [
        scheduler(name, goodput, seed=seed)
        for name, goodput in (("plain", 1.0), ("new", 2.0))
        for seed in range(2)
    ]
    path = tmp_path / "p.html"
    leaderboard_picture.write(named("serving").ranking(records), path, "serving")
    text = path.read_text(encoding="utf-8")
    assert '"ticktext":["new · job","plain · job"]' in text
    assert '"x":[2.0,1.0]' in text


def test_nothing_ranked_is_no_picture(tmp_path):
    """Without records, or with failures alone, no file is written."""
    for records in ([], [failed("broken")]):
        ranking = named("solver").ranking(records)
        leaderboard_picture.write(ranking, tmp_path / "p.html", "toy-v1")
    assert list(tmp_path.iterdir()) == []

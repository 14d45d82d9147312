"""Heat maps stay within what a page may weigh."""

import pytest

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels import rank_load
from tests.evaluation.report import made


def test_the_mean_is_in_the_middle_of_the_colours():
    """The colour scale reaches as far above the mean as below it."""
    view = rank_load.panel(labelled([made.solver()])).views[0]
    (heat,) = view.figure["data"]
    assert (heat["zmin"], heat["zmax"]) == (0.5, 1.5)
    assert heat["z"][1] == [0.5, 1.5, 1.0, 1.0]
    assert view.table.rows[0] == ("1", "1", "1.500")
    assert "1.50 times the mean, in layer 1" in view.summary


def test_the_best_and_the_last_are_drawn():
    """Of many candidates the first few and the last have a map."""
    many = [made.solver(f"s{n:02}", quality=0.9 - 0.01 * n) for n in range(10)]
    views = rank_load.panel(labelled(many)).views
    assert [view.name for view in views] == ["s00", "s01", "s02", "s03", "s04", "s09"]


def test_numbers_are_limited(monkeypatch):
    """Maps beyond the limit are left out, but never the first."""
    monkeypatch.setattr(rank_load, "CELLS", 1)
    assert len(rank_load.panel(labelled(made.suite())).views) == 1


def test_even_load_has_a_scale():
    """Where every rank has the mean the scale is not a single point."""
    flat = {"layers": [0], "relative": [[1.0, 1.0]]}
    (heat,) = rank_load.panel(labelled([made.solver(rank_load=flat)])).views[0].figure["data"]
    assert heat["zmax"] - heat["zmin"] == pytest.approx(0.2)

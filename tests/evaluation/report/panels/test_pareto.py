"""The front holds the points that no other beats in cost and quality."""

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.pareto import front, panel
from tests.evaluation.report import made

A, B, C, D = (("a", ""), ("b", ""), ("c", ""), ("d", ""))


def test_the_front_climbs():
    """Dearer ones are on the front only if they are better."""
    points = {A: (1.0, 0.5), B: (2.0, 0.4), C: (3.0, 0.9), D: (3.0, 0.8)}
    assert front(points) == [A, C]


def test_where_less_is_better_the_front_falls():
    """With errors, dearer ones are on the front only if theirs are smaller."""
    assert front({A: (1.0, 0.5), B: (2.0, 0.4), C: (3.0, 0.9)}, better=-1) == [A, B]


def test_equals_are_named_once():
    """Of two points with the same cost and quality one is kept; an empty front is possible."""
    assert front({A: (1.0, 0.5), B: (1.0, 0.5)}) == [A]
    assert front({}) == []


def test_cost_and_bytes_are_views():
    """Quality is drawn against solve cost, logarithmic, and against bytes moved."""
    cost, moved = panel(labelled(made.suite())).views
    assert (cost.name, moved.name) == ("Solve cost", "Bytes moved")
    assert cost.figure["layout"]["xaxis"]["type"] == "log"
    assert moved.figure["data"][0]["x"] == [0.4, 0.8, 0.85]


def test_free_solvers_have_no_place_on_a_logarithmic_axis():
    """A cost of zero cannot be drawn and is left out of that view."""
    free = [made.solver(name, cost={"ratio": 0.0}) for name in ("a", "b")]
    assert [view.name for view in panel(labelled(free)).views] == ["Bytes moved"]

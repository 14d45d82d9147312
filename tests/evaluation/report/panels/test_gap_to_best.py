"""Gaps to the best known are parts of what it reached."""

import pytest

from evaluation.kinds.solver import SOLVER
from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.gap_to_best import gaps
from tests.evaluation.report import made


def test_the_best_has_no_gap():
    """In each scenario the best of all dispatchers is what others are measured by."""
    result = gaps(labelled(made.suite()), SOLVER.display.primary)
    assert result["robust", "even"] == {"toys": 0.0}
    assert result["greedy", "even"]["toys"] == pytest.approx((0.05 / 0.95 + 0.05 / 0.75) / 2)


def test_families_stand_apart():
    """Scenarios of two families have a gap each; without a family a scenario is its own."""
    records = [
        made.solver("a", quality=0.8),
        made.solver("b", quality=0.4),
        made.solver("a", "shift", quality=0.3, family=None),
        made.solver("b", "shift", quality=0.6, family=None),
    ]
    result = gaps(labelled(records), SOLVER.display.primary)
    assert result["a", "even"] == {"toys": 0.0, "shift": 0.5}
    assert result["b", "even"] == {"toys": 0.5, "shift": 0.0}

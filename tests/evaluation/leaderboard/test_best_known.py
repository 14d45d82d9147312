"""Gaps are to the best on the same trace, family by family."""

import pytest

from evaluation.kinds.solver import SOLVER
from evaluation.leaderboard.best_known import gaps
from evaluation.leaderboard.observations import gather
from tests.evaluation.leaderboard.made import record

EFFICIENCY = SOLVER.measure


def test_gap_is_a_fraction_of_the_best_there():
    """Each is the best in one scenario; each family has its own gap."""
    rows = [
        gather(
            [(run, EFFICIENCY.parts(run)) for run in (record(name, one), record(name, two, "two"))],
            EFFICIENCY.identity,
        )
        for name, one, two in (("a", 0.8, 0.3), ("b", 0.4, 0.6))
    ]
    result = gaps(rows, {"one": "f", "two": "g"})
    assert result == [
        {"f": 0, "g": pytest.approx(0.5)},
        {"f": pytest.approx(0.5), "g": 0},
    ]
    assert gaps(rows, {"one": "f", "two": "f"})[0] == {"f": pytest.approx(0.25)}

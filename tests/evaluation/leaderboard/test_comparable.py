"""Rows compare within one suite, trace and fabric."""

import pytest

from evaluation.kinds.solver import SOLVER
from evaluation.leaderboard import rank
from evaluation.leaderboard.comparable import comparable_records
from tests.evaluation.leaderboard.made import record

EFFICIENCY = SOLVER.measure


def test_another_group_stands_apart_with_the_reason():
    """Whatever is newer: the most frequent trace, fabric and suite stay."""
    usual = [record("a", 0.5), record("b", 0.5)]
    others = {
        "another trace: other, not trace of": record("c", 0.9, trace_hash="other"),
        "another fabric: other, not fabric": record("d", 0.9, fabric_hash="other"),
        "suite toy-v2, not toy-v1": record("e", 0.9, suite="toy-v2"),
    }
    result = comparable_records([*others.values(), *usual], EFFICIENCY)
    assert result.records == usual
    assert {reason: one["solver"] for one, reason in result.apart} == {
        reason: one["solver"] for reason, one in others.items()
    }
    assert [row.name for row in rank([*usual, *others.values()], EFFICIENCY).rows] == ["a", "b"]


def test_every_seed_of_a_drawn_trace_is_a_group():
    """Their hashes differ, and that is how it should be."""
    runs = [record("a", 0.5, seed=n, trace_seed=n, trace_hash=str(n)) for n in range(3)]
    result = comparable_records(runs, EFFICIENCY)
    assert len(result.groups) == 3
    assert not result.apart


def test_the_same_twice_counts_once():
    """A record of another source with equal scores is dropped; with other scores it is separate."""
    one, again = record("a", 0.5), record("a", 0.5, source_hash="younger")
    assert comparable_records([one, again], EFFICIENCY).records == [one]
    other = record("a", 0.7, source_hash="younger")
    result = comparable_records([other, one, record("b", 0.5)], EFFICIENCY)
    assert [each["solver"] for each in result.records] == ["a", "b"]
    assert result.records[0] is one
    assert result.apart == [(other, "scored by another source, with other scores")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"windows": None}, "lacks finite numbers"),
        ({"windows": {}}, "lacks finite numbers"),
        ({"windows": {"ideal_s": "ab", "step_s": [1], "migration_s": [0]}}, "lacks finite"),
        ({"windows": {"ideal_s": [9.0], "step_s": [0.0], "migration_s": [0.0]}}, "lacks finite"),
        (
            {"windows": {"ideal_s": [float("nan")], "step_s": [1.0], "migration_s": [0.0]}},
            "lacks finite",
        ),
        ({"scores": {"efficiency": float("inf")}}, "lacks finite"),
        ({"scores": {"efficiency": "1"}}, "lacks finite"),
        ({"scores": {"efficiency": 10**400}}, "lacks finite"),
        (
            {"windows": {"ideal_s": [10**400], "step_s": [10**400], "migration_s": [0]}},
            "lacks finite",
        ),
        (
            {"windows": {"ideal_s": [1, 1], "step_s": [1, 1], "migration_s": [0, 0]}},
            "has 2 observations on this trace, the others 1",
        ),
    ],
)
def test_anybodys_record_breaks_no_table(change, reason):
    """It is separate, and is not scored."""
    good = [record("a", 0.5), record("b", 0.5)]
    result = rank([record("x", 0.9) | change, *good], EFFICIENCY)
    assert [row.name for row in result.rows] == ["a", "b"]
    (one,) = result.apart
    assert one["name"] == "x"
    assert reason in one["reason"]
    assert not rank([record("x", 0.9) | {"windows": {}}], EFFICIENCY).rows

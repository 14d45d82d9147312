"""A tie says what would separate it, and one line says so for all."""

import pytest

from evaluation.leaderboard.ties import Tie, most_repetitions, summary

SMALL = Tie((("a", ""), ("b", "")), 0.004, None)
LARGE = Tie((("a", ""), ("c", "")), 0.02, 12)
UNKNOWN = Tie((("b", ""), ("c", "")), 0.03, None)


def test_the_smallest_interesting_difference():
    """It is 0.5 % of step time."""
    assert [tie.is_interesting for tie in (SMALL, LARGE)] == [False, True]


def test_the_most_repetitions_separate_all():
    """Those that are not known do not count."""
    more = Tie(LARGE.rows, 0.01, 40)
    assert most_repetitions([SMALL, LARGE, more, UNKNOWN]) == 40
    assert most_repetitions([SMALL]) is None


@pytest.mark.parametrize(
    ("ties", "words"),
    [
        ([SMALL], "no pair that differs by 0.5 % or more is tied."),
        (
            [SMALL, LARGE],
            "1 pair that differs by 0.5 % or more is tied, and about 12 repetitions would separate "
            "them.",
        ),
        (
            [LARGE, UNKNOWN],
            "2 pairs that differ by 0.5 % or more are tied, and about 12 repetitions would "
            "separate 1 of them.",
        ),
        ([UNKNOWN], "1 pair that differs by 0.5 % or more is tied."),
    ],
)
def test_one_line_for_all(ties, words):
    """It counts the ties whose difference is interesting."""
    assert summary(ties, 5) == f"Ranks and intervals come from 5 repetitions; {words}"


def test_one_trace_is_named():
    """It says nothing about other traffic."""
    assert summary([], 1).startswith("Scenarios that ran on one trace say nothing about other")

"""Faults in words and in a table, from the figures of a simulation."""

import dataclasses

from evaluation.serving.faults.failure_plan import FailurePlan
from evaluation.serving.results.fault_table import HEADINGS, in_words, rows

GONE = FailurePlan(("a",), 2.0, 5.0, 9.0, lost_dies=(3, 4), missing=True, returns_s=22.0)
KILL = dataclasses.replace(
    GONE, executors=("a", "b"), restart=True, killed="b", resumed_s=None, returns_s=None
)
LINK = FailurePlan((), 2.0, None, 2.0)
FIGURES = {
    "outages": [
        {"kind": "die", "executor": "a", **dataclasses.asdict(plan)} for plan in (GONE, KILL, LINK)
    ],
    "stood_still_s": {"a": 7.0, "b": 0.0},
    "lost_expert_choices": 0.0125,
}


def test_a_row_says_when_what_was_lost_and_came_back():
    """A cell has a dash if nothing occurred, and "never" if it does not end."""
    table = rows(FIGURES)
    assert all(len(row) == len(HEADINGS) for row in table)
    assert table[0][2:] == ["2.0 s", "3.0 s", "7.0 s", "2", "22.0 s", "without some experts"]
    assert table[1][4:] == ["never", "2", "–", "restart on the dies of b"]
    assert table[2][3:] == ["never", "–", "0", "–", "–"]


def test_the_line_has_the_downtime():
    """The line has the downtime of executors and the part of expert choices that were lost."""
    assert in_words(FIGURES) == (
        "faults     3; downtime: a 7.0 s; 1.250% of expert choices not computed"
    )
    calm = {"outages": [], "stood_still_s": {"a": 0.0}, "lost_expert_choices": 0.0}
    assert in_words(calm) == "faults     0; downtime: none"

"""Phases of a step add up to it."""

import pytest

from evaluation.report.candidate_labels import labelled
from evaluation.report.panels.breakdown import panel, phases_of
from tests.evaluation.report import made


def test_the_shortest_step_comes_first():
    """Candidates are in order of their whole step."""
    view = panel(labelled(made.suite())).views[0]
    assert view.figure["data"][0]["y"] == ["robust", "greedy", "contiguous"]
    assert view.table.headings[1:] == ("attention ms", "experts ms", "waits ms", "all ms")
    last = view.table.rows[-1]
    assert sum(map(float, last[1:-1])) == pytest.approx(float(last[-1]), abs=0.002)


def test_a_phase_that_is_missing_took_nothing():
    """A record without a phase counts as zero seconds of it in the mean."""
    records = [{"breakdown": {"experts": 2.0, "migration": 1.0}}, {"breakdown": {"experts": 4.0}}]
    assert phases_of(records) == {"experts": 3.0, "migration": 0.5}

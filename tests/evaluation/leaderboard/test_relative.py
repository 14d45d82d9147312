"""Scores over those of a reference on the same traffic."""

import pytest

from evaluation.kinds.scheduler.scheduler import GOODPUT
from tests.evaluation.leaderboard.made import scheduler


def test_a_ratio_is_to_the_reference_with_the_same_seed():
    """3 over 2 with seed 0, 1 over 4 with seed 1."""
    records = [
        scheduler(name, goodput, seed=seed)
        for name, own in (("plain", (2.0, 4.0)), ("new", (3.0, 1.0)))
        for seed, goodput in enumerate(own)
    ]
    result = [one["scores"]["goodput_ratio"] for one in GOODPUT.with_ratios(records)]
    assert result == [1.0, 1.0, pytest.approx(1.5), pytest.approx(0.25)]


def test_records_without_a_reference_stay_as_they_are():
    """They name none, or it did not run on their traffic."""
    alone = [scheduler("new", 1.0, reference=None)]
    assert GOODPUT.with_ratios(alone) == alone
    lacking = [scheduler("new", 1.0), scheduler("plain", 1.0, seed=1)]
    assert "goodput_ratio" not in GOODPUT.with_ratios(lacking)[0]["scores"]


def test_stages_have_references_of_their_own():
    """A router of the same name at another stage is another scheduler."""
    records = [
        scheduler("plain", 2.0, stage="job"),
        scheduler("plain", 5.0, stage="batch"),
        scheduler("new", 4.0, stage="job"),
    ]
    assert GOODPUT.with_ratios(records)[2]["scores"]["goodput_ratio"] == 2.0

"""Streams never run two things, micro-batches keep their order, and overlap only helps."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.pipeline import PLANS, Stage, schedule

PHASES = ("attention", "dispatch", "experts", "combine")
seconds = st.lists(st.floats(0, 10), min_size=4, max_size=4)


def _batches(plan: str, durations: list[float], count: int, layers: int = 3) -> list[list[Stage]]:
    stages = [
        Stage(name, PLANS[plan][name], np.full(layers, taken))
        for name, taken in zip(PHASES, durations, strict=True)
    ]
    return [stages] * count


@settings(max_examples=60)
@given(st.sampled_from(sorted(PLANS)), seconds, st.integers(1, 4))
def test_streams_and_order_are_kept(plan: str, durations: list[float], count: int) -> None:
    """Every stage runs once; neither a stream nor a micro-batch does two things at once."""
    ran = schedule(_batches(plan, durations, count))
    assert len(ran.spans) == 3 * 4 * count
    for key in ("stream", "batch"):
        for value in {getattr(span, key) for span in ran.spans}:
            mine = sorted(
                (one for one in ran.spans if getattr(one, key) == value),
                key=lambda one: (one.start_s, one.start_s + one.seconds),
            )
            for before, after in pairwise(mine):
                assert after.start_s >= before.start_s + before.seconds - 1e-9
    assert ran.total <= schedule(_batches("serial", durations, count)).total + 1e-9
    assert all(busy <= 1 + 1e-9 for busy in ran.busy().values()) or ran.total == 0


def test_two_equal_streams_hide_each_other() -> None:
    """Two micro-batches of 1 + 1 on two streams take 2 a layer, and 1 to fill."""
    ran = schedule(_batches("two-stream", [1.0, 0.0, 1.0, 0.0], 2, layers=10))
    assert ran.total == pytest.approx(21)
    assert schedule(_batches("serial", [1.0, 0.0, 1.0, 0.0], 2, layers=10)).total == 40


def test_communication_hides_behind_computing() -> None:
    """While one micro-batch dispatches or combines, the other computes."""
    ran = schedule(_batches("communication", [3.0, 1.0, 2.0, 1.0], 2, layers=10))
    assert ran.total == pytest.approx(100, rel=0.05)
    assert ran.busy()["compute"] > 0.95


@settings(max_examples=60)
@given(st.sampled_from(sorted(PLANS)), seconds, st.floats(0, 1))
def test_interference_lies_between_free_overlap_and_none(
    plan: str, durations: list[float], interference: float
) -> None:
    """More interference never helps, and at 1 two streams do no more than one after the other."""
    totals = [schedule(_batches(plan, durations, 2), g).total for g in (0.0, interference, 1.0)]
    serial = schedule(_batches("serial", durations, 2)).total
    assert totals[0] <= totals[1] + 1e-9
    assert totals[1] <= serial + 1e-6
    assert totals[2] == pytest.approx(serial)


def test_two_streams_slow_each_other_by_the_interference() -> None:
    """While both run, 1 s takes 1.5; alone it takes 1. The fill and the end run alone."""
    ran = schedule(_batches("two-stream", [1.0, 0.0, 1.0, 0.0], 2, layers=10), 0.5)
    assert ran.total == pytest.approx(1 + 19 * 1.5 + 1)
    lone = schedule(_batches("two-stream", [1.0, 0.0, 1.0, 0.0], 1, layers=10), 0.5)
    assert lone.total == pytest.approx(20)
    with pytest.raises(ValueError, match=r"interference = 1\.5 breaks 0 <= interference"):
        schedule(_batches("serial", [1.0] * 4, 1), 1.5)


def test_bad_batches_are_refused() -> None:
    """None at all, unequal layers, negative seconds."""
    with pytest.raises(ValueError, match="0 micro-batches"):
        schedule([])
    uneven = [[Stage("a", 0, np.ones(2))], [Stage("a", 0, np.ones(3))]]
    with pytest.raises(ValueError, match=r"layers \[2, 3\]|stages of \[2, 3\]"):
        schedule(uneven)
    with pytest.raises(ValueError, match="takes -1"):
        schedule([[Stage("a", 0, np.array([-1.0]))]])

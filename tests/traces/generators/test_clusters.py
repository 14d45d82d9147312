"""Frames are sorted into domains."""

import numpy as np
import pytest

from traces import generators
from traces.generators import Law
from traces.generators.clusters import domains_of
from traces.generators.frames import frames_of


def labels(schedule, wanted=None, domains=3, **changes):
    """Return the domains found in a trace with that schedule."""
    fields = {"layers": 4, "experts": 32, "top_k": 4, "affinity": 0.8, "step_tokens": 400}
    steps = sum(length for length, _ in schedule)
    law = Law(**(fields | changes), domains=domains, schedule=schedule, update_steps=1)
    frames = frames_of(generators.trace(law, steps))
    return domains_of(frames.chance, frames.tokens.astype(float), wanted, 0)


A, B, C = (tuple(map(float, row)) for row in np.eye(3))


def test_three_domains_are_found_and_numbered_in_order():
    """Stretches of any order, found again without being told how many."""
    found = labels(((20, C), (10, A), (20, C), (15, B)))
    assert found.tolist() == [0] * 20 + [1] * 10 + [0] * 20 + [2] * 15


def test_one_domain_is_one():
    """Drawing alone makes no second one."""
    assert set(labels(((40, (1.0,)),), domains=1).tolist()) == {0}


def test_few_frames_may_each_be_their_own():
    """Six windows of six domains."""
    mixes = tuple((1, tuple(map(float, row))) for row in np.eye(6))
    found = labels(mixes, domains=6, step_tokens=100_000)
    assert found.tolist() == [0, 1, 2, 3, 4, 5]


def test_as_many_as_wanted():
    """Also equal frames, where there is nothing to tell apart."""
    assert set(labels(((20, A), (20, B)), wanted=2).tolist()) == {0, 1}
    same = np.full((4, 1, 2), 0.5)
    assert len(domains_of(same, np.ones(4), 2, 0)) == 4


@pytest.mark.parametrize("wanted", [0, 5])
def test_more_domains_than_frames_are_refused(wanted):
    """And none."""
    with pytest.raises(ValueError, match=f"domains = {wanted} is outside 1 <= domains <= 4"):
        domains_of(np.full((4, 1, 2), 0.5), np.ones(4), wanted, 0)

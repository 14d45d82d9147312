"""A yardstick saves work and changes nothing."""

import numpy as np

import lb
from evaluation.replay.ideal_reference import Yardstick
from evaluation.replay.replay import replay


def test_a_shared_yardstick_changes_no_number(trace, executor, deployment):
    """The second solver finds what the first worked out, and scores as it does alone."""
    known = Yardstick()
    replay(trace, executor, deployment, lb.make("contiguous"), yardstick=known)
    assert (len(known.ideal), len(known.bounds)) == (12, 4)
    before = dict(known.ideal)
    shared = replay(trace, executor, deployment, lb.make("greedy"), yardstick=known)
    alone = replay(trace, executor, deployment, lb.make("greedy"))
    assert shared.ideal_s == alone.ideal_s
    np.testing.assert_array_equal(shared.following_bound, alone.following_bound)
    np.testing.assert_array_equal(shared.fitted_bound, alone.fitted_bound)
    assert known.ideal == before


def test_each_is_worked_out_once(executor):
    """A number that is known is not priced again, whatever load comes with it."""
    known = Yardstick({3: 0.25})
    assert known.ideal_s(3, executor, np.ones((1, 64)), 16, 8) == 0.25
    first = known.bound(0, np.ones((1, 4)), 2, 2)
    assert known.bound(0, np.zeros((1, 4)), 2, 2) is first

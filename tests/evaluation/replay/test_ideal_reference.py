"""A shared ideal reference saves work and changes no number."""

import numpy as np

import lb
from evaluation.replay.ideal_reference import IdealReference
from evaluation.replay.replay import replay


def test_a_shared_reference_changes_no_number(trace, executor, deployment):
    """The second solver reuses the numbers of the first, and scores as it does alone."""
    shared = IdealReference()
    replay(trace, executor, deployment, lb.make("contiguous"), ideal_reference=shared)
    # 4 windows of 4 steps: 3 scored windows with 12 steps, each with a bound, and 3 observed ones.
    assert [len(steps) for steps in shared.ideal.values()] == [4, 4, 4]
    assert list(shared.bounds) == [1, 2, 3]
    assert list(shared.observed_bounds) == list(shared.token_prices) == [0, 1, 2]
    before = dict(shared.ideal)
    second = replay(trace, executor, deployment, lb.make("greedy"), ideal_reference=shared)
    alone = replay(trace, executor, deployment, lb.make("greedy"))
    assert second.ideal_s == alone.ideal_s
    np.testing.assert_array_equal(second.following_bound, alone.following_bound)
    np.testing.assert_array_equal(second.fitted_bound, alone.fitted_bound)
    assert shared.ideal == before


def test_a_number_is_computed_once(executor):
    """A cached number is not computed again, whatever load comes with it."""
    known = np.array([0.25])
    shared = IdealReference({3: known})
    assert shared.ideal_s(3, lambda: executor.ideal(np.ones((1, 1, 64)), 16, 8).totals) is known
    first = shared.bound(0, np.ones((1, 4)), 2, 2)
    assert shared.bound(0, np.zeros((1, 4)), 2, 2) is first

"""One expert at a time: what its new place alone would change."""

import numpy as np
import pytest

import lb
from evaluation.analysis.marginal_cost import marginal_cost_s
from tests.evaluation.analysis.made_window import made_window

EVEN = lb.make_dispatcher("even")


def _swapped(placement, one, other):
    table = placement.physical_to_logical.copy()
    table[:, [one, other]] = table[:, [other, one]]
    return lb.Placement(table, placement.num_ranks)


@pytest.mark.parametrize("dispatcher", ["even", "local-first"])
def test_nothing_moves_nothing_changes(executor, seen, window, dispatcher):
    """The same placement twice gives exact zeros."""
    placement = lb.solve(lb.Problem(seen, 16, 5), "greedy")
    split = lb.make_dispatcher(dispatcher)
    assert not marginal_cost_s(executor, placement, placement, window, split).any()


def test_an_expert_that_changes_with_an_idle_one_is_all_the_difference(executor):
    """Expert 1 leaves expert 0's rank for an empty one: its part is the whole gain."""
    counts = np.zeros((2, 1, 64), dtype=np.int32)
    counts[:, :, :2] = 500, 400
    before = lb.solve(lb.Problem(np.ones((1, 64)), 16, 4), "contiguous")
    after = _swapped(before, 1, 63)
    result = marginal_cost_s(
        executor, before, after, made_window(counts, counts.sum(axis=(1, 2))), EVEN
    )
    steps = [executor.step(placement, counts[0]).experts[0] for placement in (before, after)]
    assert result[0, 1] == pytest.approx(steps[0] - steps[1])
    assert result[0, 1] > 0
    assert np.count_nonzero(result) == 1


def test_one_of_two_slowest_ranks_is_worth_nothing_alone(executor):
    """Two ranks are equally hot, each cooler after: neither alone ends the wait, so no sum."""
    counts = np.zeros((1, 1, 64), dtype=np.int32)
    counts[:, :, [0, 1, 4, 5]] = 300
    before = lb.solve(lb.Problem(np.ones((1, 64)), 16, 4), "contiguous")
    after = _swapped(_swapped(before, 1, 63), 5, 59)
    result = marginal_cost_s(
        executor, before, after, made_window(counts, counts.sum(axis=(1, 2))), EVEN
    )
    steps = [executor.step(placement, counts[0]).experts[0] for placement in (before, after)]
    assert steps[1] < steps[0]
    np.testing.assert_allclose(result, 0, atol=1e-12)


def test_shares_of_the_dispatcher_count(executor):
    """A second replica helps only as far as it is used."""
    counts = np.zeros((1, 1, 64), dtype=np.int32)
    counts[:, :, 0] = 800
    before = lb.solve(lb.Problem(np.ones((1, 64)), 16, 5), "contiguous")
    table = before.physical_to_logical.copy()
    table[0, -1] = 0
    after = lb.Placement(table, 16)

    def first_only(placement, load):
        share = EVEN(placement, load).copy()
        slots = np.flatnonzero(placement.physical_to_logical[0] == 0)
        share[0, slots] = np.arange(len(slots)) == 0
        return share

    assert (
        marginal_cost_s(
            executor, before, after, made_window(counts, counts.sum(axis=(1, 2))), EVEN
        )[0, 0]
        > 0
    )
    assert (
        marginal_cost_s(
            executor, before, after, made_window(counts, counts.sum(axis=(1, 2))), first_only
        )[0, 0]
        == 0
    )


def test_a_step_counts_by_its_weight(executor, seen, window):
    """A step of weight three is the same as three such steps."""
    placements = [lb.solve(lb.Problem(seen, 16, 5), name) for name in ("contiguous", "greedy")]
    counts, tokens = window.counts[:2], window.tokens[:2]
    weighed = marginal_cost_s(executor, *placements, made_window(counts, tokens, [3, 1]), EVEN)
    repeated = made_window(counts[[0, 0, 0, 1]], tokens[[0, 0, 0, 1]])
    expected = marginal_cost_s(executor, *placements, repeated, EVEN)
    np.testing.assert_allclose(weighed, expected, rtol=1e-9, atol=1e-15)
    assert expected.any()

"""The optimal split equals the linear program's, and is never hotter than the even one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import lb

OPTIMAL = lb.make_dispatcher("optimal")


def _instance(seed, layers=2):
    """A random placement and a skewed load on it; replicas may share a rank."""
    generator = np.random.default_rng(seed)
    ranks, per_rank = int(generator.integers(2, 9)), int(generator.integers(1, 6))
    experts = int(generator.integers(1, ranks * per_rank + 1))
    table = np.empty((layers, ranks * per_rank), np.int64)
    for layer in range(layers):
        extra = generator.integers(0, experts, ranks * per_rank - experts)
        table[layer] = generator.permutation(np.concatenate([np.arange(experts), extra]))
    load = np.floor(generator.lognormal(3, 2, (layers, experts)))
    load[generator.random(load.shape) < 0.1] = 0
    return lb.Placement(table, ranks), load


def _least_peak(placement, load):
    """Solve the linear program of one layer with HiGHS: min T, rank loads <= T."""
    table = placement.physical_to_logical[0]
    slots, ranks = len(table), placement.num_ranks
    cost = np.zeros(slots + 1)
    cost[-1] = 1
    over = np.zeros((ranks, slots + 1))
    over[np.arange(slots) * ranks // slots, np.arange(slots)] = 1
    over[:, -1] = -1
    split = np.zeros((placement.num_experts, slots + 1))
    split[table, np.arange(slots)] = 1
    return linprog(cost, over, np.zeros(ranks), split, load[0], method="highs").fun


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_equals_the_linear_program(seed):
    """Within 1e-6 of HiGHS on random placements, with duplicates and idle experts."""
    placement, load = _instance(seed, layers=1)
    share = lb.check_share(placement, OPTIMAL(placement, load))
    peak = placement.rank_load(load, share).max()
    assert peak == pytest.approx(_least_peak(placement, load), rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_is_valid_and_never_hotter_than_even(seed):
    """Shares lose no token; each layer is at least as balanced as under the even split."""
    placement, load = _instance(seed, layers=3)
    share = lb.check_share(placement, OPTIMAL(placement, load))
    best, even = placement.rank_load(load, share), placement.rank_load(load)
    assert (best.max(axis=1) <= even.max(axis=1) * (1 + 1e-9)).all()
    np.testing.assert_allclose(best.sum(axis=1), load.sum(axis=1))
    np.testing.assert_array_equal(OPTIMAL(placement, load), share)


def test_a_chain_of_replicas_passes_load_on():
    """Ranks 0-1-2 share experts 1 and 2 in a chain: 5.5, 4.5 and 2 tokens become 4 each."""
    placement = lb.Placement(np.array([[0, 1, 1, 2, 2, 3]]), 3)
    load = np.array([[3.0, 5.0, 4.0, 0.0]])
    share = OPTIMAL(placement, load)
    np.testing.assert_allclose(placement.rank_load(load, share), [[4, 4, 4]])


def test_without_replicas_there_is_nothing_to_choose():
    """Every share is 1; idle layers keep the even split."""
    placement = lb.Placement(np.array([[0, 1, 2, 3]]), 2)
    np.testing.assert_array_equal(OPTIMAL(placement, [[9, 0, 1, 0]]), np.ones((1, 4)))
    twice = lb.Placement(np.array([[0, 0, 1, 1]]), 2)
    np.testing.assert_array_equal(OPTIMAL(twice, [[0, 0]]), np.full((1, 4), 0.5))


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ([[1.0]], "give .1 layers, 4 experts"),
        ([[1, 2, 3, np.nan]], "expert 3 is nan"),
        ([[1, -2, 3, 4]], "expert 1 is -2"),
    ],
)
def test_bad_loads_are_refused(load, message):
    """Place and value are named."""
    placement = lb.Placement(np.array([[0, 1, 2, 3]]), 2)
    with pytest.raises(ValueError, match=message):
        OPTIMAL(placement, load)

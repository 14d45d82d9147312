"""Placements: derived maps, rank loads, balancedness and moves."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb

TINY = lb.Placement([[0, 1, 1, 2]], num_ranks=2)


def test_derived_maps():
    """Replicas and their slots follow from the slot map."""
    np.testing.assert_array_equal(TINY.replica_count, [[1, 2, 1]])
    np.testing.assert_array_equal(TINY.logical_to_physical, [[[0, -1], [1, 2], [3, -1]]])
    np.testing.assert_array_equal(TINY.even_share, [[1, 0.5, 0.5, 1]])
    assert (TINY.num_layers, TINY.num_experts, TINY.num_slots, TINY.slots_per_rank) == (1, 3, 4, 2)


def test_rank_load_splits_evenly_by_default():
    """Half of expert 1 goes to each rank."""
    np.testing.assert_array_equal(TINY.rank_load([[4, 6, 1]]), [[7, 4]])


def test_rank_load_takes_a_share():
    """A dispatcher may send more to one replica."""
    share = [[1, 0.25, 0.75, 1]]
    np.testing.assert_array_equal(TINY.rank_load([[4, 8, 1]], share), [[6, 7]])


def test_rank_load_keeps_leading_axes():
    """Many steps are priced in one call."""
    loads = np.arange(18.0).reshape(2, 3, 1, 3)
    together = TINY.rank_load(loads)
    assert together.shape == (2, 3, 1, 2)
    np.testing.assert_array_equal(together[1, 2], TINY.rank_load(loads[1, 2]))


def test_balancedness_without_load_is_one():
    """Nothing to do is perfectly balanced."""
    assert TINY.balancedness([[0, 0, 0]]) == 1


def test_balancedness_is_worst_with_everything_on_one_rank():
    """1 / ranks is the floor."""
    assert TINY.balancedness([[5, 0, 0]]) == 0.5


def test_duplicates_are_counted():
    """A second copy on the same rank is a wasted slot."""
    assert lb.Placement([[0, 0, 1, 2]], 2).duplicate_count == 1
    assert TINY.duplicate_count == 0


def test_moves_count_what_a_rank_lacked():
    """Order within a rank and copies it already holds cost nothing."""
    before = lb.Placement([[0, 1, 2, 3]], 2)
    np.testing.assert_array_equal(lb.Placement([[1, 0, 3, 2]], 2).moves_from(before), [[0, 0]])
    np.testing.assert_array_equal(lb.Placement([[2, 0, 3, 1]], 2).moves_from(before), [[1, 1]])
    wide = lb.Placement([[0, 2, 2, 1, 2, 3]], 2)
    np.testing.assert_array_equal(wide.moves_from(before), [[1, 1]])


def test_moves_need_the_same_ranks():
    """Placements of other shapes do not compare."""
    with pytest.raises(ValueError, match="layers and ranks must be the same"):
        TINY.moves_from(lb.Placement([[0, 1, 2, 0]], 4))


@pytest.mark.parametrize(
    ("table", "ranks", "text"),
    [
        ([[0, 1, 2]], 2, "3 slots over 2 ranks leaves 1 over"),
        ([[0, 2, 2, 0]], 2, "layer 0 places no copy of expert 1"),
        ([[0, 1], [0, 0]], 2, "layer 1 places no copy of expert 1"),
        ([[0, -1]], 2, "layer 0, slot 1 is -1"),
        ([[0, 9]], 2, "is 9; .* 0 <= id < 2 slots"),
        ([[0.0, 1.0]], 2, "dtype float64"),
        ([0, 1], 2, "shape \\(2,\\)"),
        ([[0, 1], [0]], 1, "ragged"),
        ([[0, 1]], 0, "num_ranks = 0 < 1"),
    ],
)
def test_maps_that_are_no_placement(table, ranks, text):
    """Every broken map is named for what is wrong."""
    with pytest.raises(ValueError, match=text):
        lb.Placement(table, ranks)


@pytest.mark.parametrize(
    ("load", "share", "text"),
    [
        ([[1, 2]], None, "needs \\[..., 1 layers, 3 experts\\]"),
        ([[1, 2, 3]], [[1, 1]], "share has shape \\(1, 2\\)"),
    ],
)
def test_loads_of_another_shape(load, share, text):
    """Loads and shares fit the placement or are refused."""
    with pytest.raises(ValueError, match=text):
        TINY.rank_load(load, share)


def test_pickled_placement_stays_read_only():
    """A placement that crossed a process is as immutable as before."""
    restored = pickle.loads(pickle.dumps(TINY))
    np.testing.assert_array_equal(restored.physical_to_logical, TINY.physical_to_logical)
    assert not restored.physical_to_logical.flags.writeable


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_load_is_conserved(ranks, slots, layers, seed):
    """Whatever the placement, the ranks together compute what was routed."""
    generator = np.random.default_rng(seed)
    experts = int(generator.integers(slots, ranks * slots + 1))
    load = generator.lognormal(size=(layers, experts))
    placement = lb.solve(lb.Problem(load, ranks, slots), "random")
    np.testing.assert_allclose(placement.rank_load(load).sum(axis=1), load.sum(axis=1))
    slots_of = placement.logical_to_physical
    assert ((slots_of >= 0).sum(axis=2) == placement.replica_count).all()

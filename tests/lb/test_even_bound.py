"""The bound for even splits holds for every placement, and is often exact."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
from lb.bounds import balancedness_bound
from lb.even_bound import even_bound


def best_by_enumeration(load, ranks, slots):
    """Try every placement, duplicates on a rank included, with an even split."""
    experts = len(load)
    contents = list(itertools.combinations_with_replacement(range(experts), slots))
    tables = [
        sum(chosen, ())
        for chosen in itertools.combinations_with_replacement(contents, ranks)
        if len(set().union(*chosen)) == experts
    ]
    loads = np.tile(np.asarray(load, dtype=float), (len(tables), 1))
    return lb.Placement(tables, ranks).balancedness(loads).max()


SHAPES = [(1, 3), (2, 2), (2, 3), (3, 2), (4, 2), (2, 4), (3, 3), (5, 1)]
LOADS = st.one_of(
    st.integers(0, 12),
    st.floats(0, 1000, allow_subnormal=False),
    st.sampled_from([0, 1e-9, 1, 1 + 1e-12, 2, 3, 1e6]),
)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(SHAPES))
def test_no_placement_beats_the_bound(data, shape):
    """Enumeration over all placements stays below, and the general bound above."""
    ranks, slots = shape
    experts = data.draw(st.integers(1, min(ranks * slots, 4 if ranks * slots > 8 else 5)))
    load = data.draw(st.lists(LOADS, min_size=experts, max_size=experts).filter(any))
    bound = even_bound([load], ranks, slots)[0]
    assert best_by_enumeration(load, ranks, slots) <= bound + 1e-9
    assert bound <= balancedness_bound([load], ranks, slots)[0]


def test_joint_instance_is_bounded_by_its_optimum():
    """600 in four replicas, 560 in three beside halves of 10: nothing is better than 560/3 + 10."""
    load = [[600, 560, 120, 120, 20, 10, 10, 10]]
    assert even_bound(load, 8, 2)[0] == pytest.approx(1450 / 8 / (560 / 3 + 10), rel=1e-6)


@pytest.mark.parametrize(
    ("load", "ranks", "slots"),
    [([9, 9, 2], 2, 2), ([8, 7, 3, 2, 1], 3, 2), ([10, 1, 1, 1, 1, 1], 3, 2), ([5, 3, 1], 4, 2)],
)
def test_small_optima_are_met(load, ranks, slots):
    """The bound is the optimum that enumeration finds."""
    best = best_by_enumeration(load, ranks, slots)
    assert even_bound([load], ranks, slots)[0] == pytest.approx(best, rel=1e-6)


def test_local_search_stays_below():
    """At 96 slots on 32 ranks, layers of 80 experts."""
    load = np.random.default_rng(0).lognormal(sigma=1.5, size=(3, 80))
    reached = lb.solve(lb.Problem(load, 32, 3), "local-search").balancedness(load)
    assert (reached <= even_bound(load, 32, 3)).all()


def test_one_slot_a_rank_is_as_before():
    """Without companions the general bound is exact already."""
    load = np.random.default_rng(0).lognormal(size=(2, 12))
    np.testing.assert_array_equal(even_bound(load, 15, 1), balancedness_bound(load, 15, 1))


def test_layer_without_load_is_one():
    """No load has nothing to balance."""
    assert even_bound([[0, 0, 0]], 2, 2)[0] == 1


def test_scale_does_not_matter():
    """Extreme units lose nothing."""
    load = np.array([[600, 560, 120, 120, 20, 10, 10, 10.0]])
    np.testing.assert_allclose(even_bound(load * 1e-300, 8, 2), even_bound(load, 8, 2))
    np.testing.assert_allclose(even_bound(load * 1e300, 8, 2), even_bound(load, 8, 2))


def test_impossible_slots_are_refused():
    """Experts that do not fit have no bound."""
    with pytest.raises(ValueError, match="2 slots < 3 experts; give slots_per_rank >= 2"):
        even_bound([[1, 2, 3]], 2, 1)

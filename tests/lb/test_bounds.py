"""The bound holds for every placement and is reached where it must be."""

import itertools

import numpy as np
import pytest

import lb
from lb.bounds import balancedness_bound


def best_by_enumeration(load, ranks, slots):
    """Try every slot map: the best balancedness with an even split."""
    experts = len(load)
    best = 0.0
    for table in itertools.product(range(experts), repeat=ranks * slots):
        if len(set(table)) == experts:
            placement = lb.Placement([table], ranks)
            best = max(best, placement.balancedness([load])[0])
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_placement_beats_the_bound(seed):
    """Enumeration over all slot maps, duplicates included, stays below."""
    generator = np.random.default_rng(seed)
    ranks, slots = [(2, 2), (3, 2), (2, 3)][seed % 3]
    experts = int(generator.integers(slots, min(ranks * slots, 4) + 1))
    load = generator.lognormal(sigma=1.5, size=experts)
    bound = balancedness_bound(load[None], ranks, slots)[0]
    assert best_by_enumeration(load, ranks, slots) <= bound + 1e-12


def test_one_slot_a_rank_reaches_the_bound():
    """With one slot a rank replication alone decides, and greedy replication is optimal."""
    load = np.random.default_rng(0).lognormal(size=(4, 20))
    placement = lb.solve(lb.Problem(load, 26, 1), "greedy")
    np.testing.assert_allclose(placement.balancedness(load), balancedness_bound(load, 26, 1))


def test_one_hot_is_bounded_by_its_replicas():
    """One expert with all load can use one rank for each copy."""
    assert balancedness_bound([[7, 0, 0, 0]], 8, 1)[0] == pytest.approx(5 / 8)


def test_companions_count():
    """The hottest expert shares its rank with at least the coldest one."""
    assert balancedness_bound([[10, 1, 1, 1, 1, 1]], 3, 2)[0] == pytest.approx(5 / 11)


def test_bound_is_one_where_perfect_balance_exists():
    """Planted instances are never bounded away."""
    for name, problem in lb.testing.planted().items():
        bound = balancedness_bound(problem.total_load, problem.num_ranks, problem.slots_per_rank)
        assert bound.min() == pytest.approx(1), name


def test_layer_without_load_is_one():
    """No load has nothing to balance."""
    assert balancedness_bound([[0, 0]], 2, 1)[0] == 1


def test_scale_does_not_matter():
    """Extreme units lose nothing."""
    load = np.random.default_rng(1).lognormal(size=(2, 12))
    expected = balancedness_bound(load, 4, 4)
    np.testing.assert_allclose(balancedness_bound(load * 1e-300, 4, 4), expected)
    np.testing.assert_allclose(balancedness_bound(load * 1e300, 4, 4), expected)


def test_impossible_slots_are_refused():
    """Experts that do not fit have no bound."""
    with pytest.raises(ValueError, match="2 slots < 3 experts; give slots_per_rank >= 2"):
        balancedness_bound([[1, 2, 3]], 2, 1)

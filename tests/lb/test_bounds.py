"""The bound holds for every placement and is reached where it must be."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def best_split_by_enumeration(load, ranks, slots):
    """Try every placement, duplicates included: the best balancedness of an exact dispatcher."""
    experts = len(load)
    contents = itertools.combinations_with_replacement(range(experts), slots)
    tables = [
        sum(chosen, ())
        for chosen in itertools.combinations_with_replacement(list(contents), ranks)
        if len(set().union(*chosen)) == experts
    ]
    placement = lb.Placement(tables, ranks)
    loads = np.tile(np.asarray(load, dtype=float), (len(tables), 1))
    share = lb.make_dispatcher("optimal")(placement, loads)
    return placement.balancedness(loads, share).max()


def best_by_clusters(load, ranks, slots):
    """Try every way to make clusters: none beats this, placements are not even made for it.

    A cluster of b ranks that share experts among them holds at most ``b * (slots - 1) + 1``
    experts, whose whole load it carries.
    """
    best = 0.0
    for clusters in partitions(list(range(len(load)))):
        loads = np.array([sum(load[expert] for expert in cluster) for cluster in clusters])
        sizes = np.array([len(cluster) for cluster in clusters])
        on_ranks = np.ones(len(clusters))
        if slots > 1:
            on_ranks = np.maximum(1, -(-(sizes - 1) // (slots - 1)))
        if on_ranks.sum() > ranks or (slots == 1 and sizes.max() > 1):
            continue
        for _ in range(int(ranks - on_ranks.sum())):
            on_ranks[np.argmax(loads / on_ranks)] += 1
        best = max(best, loads.sum() / ranks / (loads / on_ranks).max())
    return best


def partitions(members):
    """Yield every partition of ``members`` into sets."""
    if not members:
        yield []
        return
    for rest in partitions(members[1:]):
        yield [members[:1], *rest]
        for place in range(len(rest)):
            yield [*rest[:place], [members[0], *rest[place]], *rest[place + 1 :]]


SHAPES = [(1, 3), (2, 2), (2, 3), (3, 2), (4, 2), (2, 4), (3, 3), (5, 1)]
LOADS = st.one_of(
    st.integers(0, 12),
    st.floats(0, 1000, allow_subnormal=False),
    st.sampled_from([0, 1e-9, 1, 1 + 1e-12, 2, 3, 1e6]),
)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(SHAPES))
def test_no_placement_with_any_dispatcher_beats_the_bound(data, shape):
    """Enumeration over all placements, each with its optimal split, stays below."""
    ranks, slots = shape
    experts = data.draw(st.integers(1, min(ranks * slots, 4 if ranks * slots > 8 else 5)))
    load = data.draw(st.lists(LOADS, min_size=experts, max_size=experts).filter(any))
    bound = balancedness_bound([load], ranks, slots)[0]
    assert best_split_by_enumeration(load, ranks, slots) <= bound + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(1, 4))
def test_no_clustering_beats_the_bound(data, ranks, slots):
    """Up to seven experts, few slots to spare: the size where hot ranks meet their companions."""
    most = min(ranks * slots, 7)
    experts = data.draw(st.integers(max(1, most - 3), most))
    load = data.draw(st.lists(LOADS, min_size=experts, max_size=experts).filter(any))
    bound = balancedness_bound([load], ranks, slots)[0]
    assert best_by_clusters(load, ranks, slots) <= bound + 1e-9


@pytest.mark.parametrize(
    ("load", "best"),
    [
        ([8, 7, 3, 2, 1], 7 / 8),  # one spare slot, and two experts want it: 8 stays alone
        ([12, 9, 6, 3, 3], 11 / 12),
        ([10, 9, 5, 1, 1], 26 / 30),
    ],
)
def test_spare_slots_and_companions_count_together(load, best):
    """Three ranks of two slots: neither slots nor heavy ranks alone give the exact optimum."""
    assert best_split_by_enumeration(load, 3, 2) == pytest.approx(best)
    assert balancedness_bound([load], 3, 2)[0] == pytest.approx(best)


def test_two_hot_experts_may_share_one_spare_slot():
    """Perfect balance where each of two experts alone would need a spare slot of its own."""
    assert best_split_by_enumeration([9, 9, 2], 2, 2) == pytest.approx(1)
    assert balancedness_bound([[9, 9, 2]], 2, 2)[0] == pytest.approx(1)


def test_joint_instance_is_perfect_for_an_uneven_split():
    """Eight experts that all share ranks with others: only an even split ends at 0.9216."""
    load = [600, 560, 120, 120, 20, 10, 10, 10]
    assert best_by_clusters(load, 8, 2) == pytest.approx(1)
    assert balancedness_bound([load], 8, 2)[0] == pytest.approx(1)


def test_zipf_on_many_narrow_ranks():
    """At 288 slots on 72 ranks the bound is within 0.002 of the best placement known."""
    load = [1 / np.arange(1, 257)]
    reached = lb.solve(lb.Problem(load, 72, 4), "local-search").balancedness(load)[0]
    assert 0.889 < reached <= balancedness_bound(load, 72, 4)[0] < 0.8925


def test_one_slot_a_rank_reaches_the_bound():
    """With one slot a rank replication alone decides, and greedy replication is optimal."""
    load = np.random.default_rng(0).lognormal(size=(4, 20))
    placement = lb.solve(lb.Problem(load, 26, 1), "greedy")
    np.testing.assert_allclose(placement.balancedness(load), balancedness_bound(load, 26, 1))


def test_one_hot_is_bounded_by_its_replicas():
    """One expert with all load can use one rank for each copy."""
    assert balancedness_bound([[7, 0, 0, 0]], 8, 1)[0] == pytest.approx(5 / 8)


def test_companions_count():
    """The heaviest expert shares its rank with at least the coldest one."""
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

"""What the search believes about an exchange is what the exchange does."""

import numpy as np
import pytest

import lb
from lb.dispatchers.local_first import farness
from lb.traffic import chain, search, swap
from lb.traffic.state import TrafficLayer, peak, rebuild, source_traffic, traffic_state

RANKS, WIDTH, EXPERTS, NODE = 6, 4, 16, 2


def _instance(seed, near_first):
    """Six ranks on three nodes, random tokens, distances and pairs."""
    generator = np.random.default_rng(seed)
    tokens = generator.lognormal(size=(EXPERTS, RANKS))
    problem = lb.Problem(tokens.sum(axis=1)[None], RANKS, WIDTH)
    placement = lb.solve(problem, "random", seed=seed)
    distance = generator.random((RANKS, RANKS))
    pairs = generator.random((EXPERTS, EXPERTS))
    pairs += pairs.T
    np.fill_diagonal(pairs, 0)
    layer = TrafficLayer(
        tokens,
        distance,
        tokens @ distance,
        pairs,
        np.arange(RANKS) // NODE,
        tokens.sum(axis=1) / placement.replica_count[0],
        np.ones(RANKS),
        farness(RANKS, NODE),
        NODE if near_first else 0,
    )
    return layer, traffic_state(layer, placement.physical_to_logical.reshape(RANKS, WIDTH).copy())


def _share(layer, table):
    placement = lb.Placement(table.reshape(1, -1), RANKS)
    name = "local-first" if layer.near else "even"
    share = lb.dispatch.configured(name, NODE)(placement, np.ones((1, EXPERTS)))
    return share[0] if share.ndim == 3 else np.repeat(share, RANKS, axis=0)


def _traffic(layer, table):
    """Source traffic and what co-activation saves, by the dispatcher's own shares."""
    slots = table.ravel()
    sent = layer.tokens.T[:, slots] * _share(layer, table)
    cost = (sent * np.repeat(layer.distance, WIDTH, axis=1)).sum()
    part = np.zeros((EXPERTS, layer.unit.max() + 1))
    copies = np.bincount(slots, minlength=EXPERTS)
    np.add.at(part, (slots, np.repeat(layer.unit, WIDTH)), 1 / copies[slots])
    return cost - (layer.pairs * (part @ part.T)).sum() / 2


def _rank_load(layer, table):
    sent = layer.tokens.T[:, table.ravel()] * _share(layer, table)
    return sent.sum(axis=0).reshape(RANKS, WIDTH).sum(axis=1)


@pytest.mark.parametrize("near_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_state_is_what_the_dispatcher_does(seed, near_first):
    """Loads and traffic equal those computed from the shares of every source."""
    layer, state = _instance(seed, near_first)
    np.testing.assert_allclose(state.rank_load, _rank_load(layer, state.table))
    saved = (layer.pairs > 0).any() * source_traffic(layer, state) - _traffic(layer, state.table)
    part = np.zeros((EXPERTS, 3))
    for rank, row in enumerate(state.table):
        part[row, layer.unit[rank]] += 1 / state.replicas[row]
    assert saved == pytest.approx((state.pull * part).sum() / 2)
    assert peak(state.rank_load, layer.slowness) == state.rank_load.max()


@pytest.mark.parametrize("near_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_swaps_change_what_they_say(seed, near_first):
    """Change of traffic, peak and the state afterwards, for every pair of slots of two ranks."""
    layer, state = _instance(seed, near_first)
    for place in range(WIDTH * WIDTH):
        slot, partner = divmod(place, WIDTH)
        rank, other = seed % 3, 3 + seed % 2
        one, two = state.table[rank, slot], state.table[other, partner]
        if state.held[one, other] or state.held[two, rank]:
            continue
        before = _traffic(layer, state.table)
        said = swap.change_by_swap(layer, state, rank, slot, other, partner)
        after = state.table.copy()
        after[rank, slot], after[other, partner] = two, one
        highest = _rank_load(layer, after).max()
        within = swap.stays_within
        assert within(layer, state, rank, one, other, two, highest * 1.000001)
        # the even split asks only about the two ranks that change
        touched = _rank_load(layer, after)[[rank, other]].max()
        assert not within(layer, state, rank, one, other, two, touched * 0.999999)
        swap.swap(layer, state, rank, slot, other, partner)
        np.testing.assert_array_equal(state.table, after)
        assert said == pytest.approx(_traffic(layer, after) - before, abs=1e-9)
        kept = [np.copy(array) for array in state]
        rebuild(layer, state)
        for array, fresh in zip(kept, state, strict=True):
            np.testing.assert_allclose(array, fresh, atol=1e-9)


@pytest.mark.parametrize("near_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_best_partner_is_the_best(seed, near_first):
    """No swap within the limit changes traffic by less."""
    layer, state = _instance(seed, near_first)
    limit = state.rank_load.max() * 1.1
    free = np.zeros(state.table.shape, dtype=bool)
    for slot in range(WIDTH):
        found = search.best_partner(layer, state, 2, slot, limit, np.inf, free)
        one = state.table[2, slot]
        changes = [
            swap.change_by_swap(layer, state, 2, slot, other, partner)
            for other in range(RANKS)
            for partner in range(WIDTH)
            if not state.held[one, other]
            and not state.held[state.table[other, partner], 2]
            and swap.stays_within(layer, state, 2, one, other, state.table[other, partner], limit)
        ]
        assert found[0] == pytest.approx(min(changes, default=np.inf))


@pytest.mark.parametrize("near_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_ranks_that_trade_change_what_they_say(seed, near_first):
    """Whole ranks, experts on both included."""
    layer, state = _instance(seed, near_first)
    for one in range(RANKS):
        for other in range(one):
            after = state.table.copy()
            after[[one, other]] = after[[other, one]]
            said = search._change_by_ranks(layer, state, one, other)
            done = _traffic(layer, after) - _traffic(layer, state.table)
            assert said == pytest.approx(done, abs=1e-9)
            search._trade_by_swaps(layer, state, one, other)
            np.testing.assert_array_equal(np.sort(state.table), np.sort(after))
            np.testing.assert_allclose(state.rank_load, _rank_load(layer, after))


@pytest.mark.parametrize("near_first", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_search_lowers_traffic_within_the_limit(seed, near_first):
    """Nothing is lost, the peak holds, and a second search finds nothing more."""
    layer, state = _instance(seed, near_first)
    before = _traffic(layer, state.table)
    experts = np.sort(state.table.ravel())
    limit = state.rank_load.max() * 1.05
    search.reduce_traffic(layer, state, NODE, limit, 1e-9, 50)
    reached = _traffic(layer, state.table)
    assert reached < before
    assert _rank_load(layer, state.table).max() <= limit * (1 + 1e-9)
    np.testing.assert_array_equal(np.sort(state.table.ravel()), experts)
    assert all(len(set(row)) == WIDTH for row in state.table.tolist())
    search.reduce_traffic(layer, state, NODE, limit, 1e-9, 50)
    assert _traffic(layer, state.table) == pytest.approx(reached)


def test_a_chain_leaves_a_circle_of_communities():
    """Three communities of seven dealt out 4 + 3 in a circle: no swap helps, a chain does."""
    community = np.repeat([0, 1, 2], 7)
    pairs = (community[:, None] == community).astype(float)
    np.fill_diagonal(pairs, 0)
    ids = np.arange(21).reshape(3, 7)
    table = np.hstack([ids[:, :4], np.roll(ids[:, 4:], 1, axis=0)])
    layer = TrafficLayer(
        np.ones((21, 3)),
        np.zeros((3, 3)),
        np.zeros((21, 3)),
        pairs,
        np.arange(3),
        np.full(21, 3.0),
        np.ones(3),
        farness(3, 1),
        0,
    )
    state = traffic_state(layer, table)
    assert not search._exchange_slots(layer, state, 21.0, 1e-9)
    assert chain.chain(layer, state, 21.0, 1e-9)
    search.reduce_traffic(layer, state, 1, 21.0, 1e-9, 20)
    assert sorted(sorted(row) for row in state.table.tolist()) == ids.tolist()
    assert not chain.chain(layer, state, 21.0, 1e-9)

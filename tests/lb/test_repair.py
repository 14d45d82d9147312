"""Each step of a repair is the best one by its own rule, and is written down as it is."""

import itertools

import numpy as np
import pytest

import lb
from lb.packing import replica_weight
from lb.repair import repair

NO_COST = np.empty((0, 2))
MEMORY_BOUND = np.array([[0.0, 40.0], [60.0, 40.0], [200.0, 300.0]])


def _repaired(load, table, *, cost=NO_COST, slow=None, spread=0.0, limit=64, price=0.0, most=10**6):
    """Return the repaired table and what was written down, cut to the steps taken."""
    slow = np.ones(len(table)) if slow is None else slow
    steps, moves, peaks = np.empty((limit, 4), int), np.zeros(limit + 1, int), np.zeros(limit + 1)
    table = table.copy()
    taken = repair(load, cost, slow, table, spread, 0.0, most, price, steps, moves, peaks)
    return table, steps[:taken], moves[: taken + 1], peaks[: taken + 1]


def _random(seed, ranks=4, width=4, experts=11):
    """Return a load and a table that suits another load."""
    generator = np.random.default_rng(seed)
    before, load = generator.lognormal(5, 1, (2, experts))
    placed = lb.solve(lb.Problem(before[None], ranks, width), "greedy")
    slow = generator.uniform(1, 2, ranks) if seed % 2 else np.ones(ranks)
    return load, placed.physical_to_logical.reshape(ranks, width).copy(), slow


def _weights(load, table, cost):
    replicas = np.bincount(table.ravel(), minlength=load.size)
    return replicas, np.array([replica_weight(*one, cost) for one in zip(load, replicas)])  # noqa: B905


def _times(load, table, cost, slow):
    return _weights(load, table, cost)[1][table].sum(axis=1) * slow


def _expected_excess(load, table, cost, slow, mean, spread):
    replicas, weight = _weights(load, table, cost)
    over = np.maximum(0, _times(load, table, cost, slow) - mean)
    return (over**2).sum() + spread**2 * (replicas * weight**2).sum()


def _allowed(load, table, cost, slow):
    """Yield every gift and every swap that the rule allows, as a new table."""
    ranks, width = table.shape
    replicas, weight = _weights(load, table, cost)
    times = _times(load, table, cost, slow)
    slowest = int(times.argmax())
    for rank, place, taker in itertools.product(range(ranks), range(width), range(load.size)):
        giver = table[rank, place]
        if replicas[giver] == 1 or taker in table[rank]:
            continue
        lighter = replica_weight(load[taker], replicas[taker] + 1, cost)
        new = table.copy()
        new[rank, place] = taker
        here = rank == slowest and lighter < weight[giver]
        there = rank != slowest and taker in table[slowest]
        if here or (there and _times(load, new, cost, slow)[slowest] < times[slowest] - 1e-9):
            yield new
    for mine, rank, theirs in itertools.product(range(width), range(ranks), range(width)):
        one, other = table[slowest, mine], table[rank, theirs]
        if one in table[rank] or other in table[slowest] or weight[one] <= weight[other]:
            continue
        new = table.copy()
        new[slowest, mine], new[rank, theirs] = other, one
        yield new


@pytest.mark.parametrize("cost", [NO_COST, MEMORY_BOUND], ids=["tokens", "seconds"])
@pytest.mark.parametrize("spread", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(12))
def test_the_first_step_is_the_best_of_all(seed, spread, cost):
    """No other gift or swap lowers the expected excess more for each expert received."""
    load, table, slow = _random(seed)
    mean = (_times(load, table, cost, slow) / slow).sum() / (1 / slow).sum()

    def gain_a_move(new):
        moves = lb.Placement(new.reshape(1, -1), 4).moves_from(
            lb.Placement(table.reshape(1, -1), 4)
        )
        before, after = (
            _expected_excess(load, one, cost, slow, mean, spread) for one in (table, new)
        )
        return (before - after) / moves.sum()

    best = max((gain_a_move(new) for new in _allowed(load, table, cost, slow)), default=0.0)
    after, steps, *_ = _repaired(load, table, cost=cost, slow=slow, spread=spread, limit=1)
    if best <= 1e-9:
        assert len(steps) == 0
    else:
        assert gain_a_move(after) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("cost", [NO_COST, MEMORY_BOUND], ids=["tokens", "seconds"])
@pytest.mark.parametrize("seed", range(8))
def test_the_book_is_right_after_every_step(seed, cost):
    """Moves are those of the placements and peaks those of the ranks, for every prefix."""
    load, table, slow = _random(seed, ranks=6, width=5, experts=24)
    after, steps, moves, peaks = _repaired(load, table, cost=cost, slow=slow, spread=0.3)
    assert len(steps) >= 2
    start = lb.Placement(table.reshape(1, -1), 6)
    slots = table.ravel().copy()
    for step, received, peak in zip([(-1,) * 4, *steps], moves, peaks, strict=True):
        for slot, expert in (step[:2], step[2:]):
            if slot >= 0:
                slots[slot] = expert
        now = lb.Placement(slots[None], 6)
        assert now.moves_from(start).sum() == received
        assert now.duplicate_count.sum() == 0
        assert _times(load, slots.reshape(6, 5), cost, slow).max() == pytest.approx(peak, rel=1e-12)
    np.testing.assert_array_equal(slots, after.ravel())


def test_duplicates_of_the_start_are_no_obstacle():
    """An expert that sits twice on a rank gives a slot away like any other replica."""
    load = np.array([90.0, 10.0, 10.0, 10.0, 10.0])
    table = np.array([[0, 1, 2], [3, 3, 4]])
    after, steps, moves, peaks = _repaired(load, table)
    start, end = (lb.Placement(one.reshape(1, -1), 2) for one in (table, after))
    assert moves[-1] == end.moves_from(start).sum()
    assert len(steps) >= 1
    assert peaks[0] == 110
    assert peaks[-1] == 65


@pytest.mark.parametrize("seed", range(6))
def test_a_price_ends_the_steps_no_sooner_than_it_may(seed):
    """The prefix that costs least with the price of its moves is the same as without the end."""
    load, table, slow = _random(seed, ranks=8, width=5, experts=32)
    _, _, all_moves, all_peaks = _repaired(load, table, slow=slow)
    price = (all_peaks[0] - all_peaks.min()) / 8
    _, _, moves, peaks = _repaired(load, table, slow=slow, price=price)
    assert (peaks + price * moves).min() == (all_peaks + price * all_moves).min()
    assert len(moves) < len(all_moves)


def test_most_moves_and_balance_end_the_steps():
    """No step is taken after the last move, nor where the ranks are equal."""
    load, table, _ = _random(0)
    assert len(_repaired(load, table, most=0)[1]) == 0
    assert _repaired(load, table, most=1)[2][-1] in (1, 2)
    assert len(_repaired(np.ones(4), np.array([[0, 1], [2, 3]]))[1]) == 0


def test_a_replica_of_the_slowest_rank_may_give_way():
    """Where what it loses by another expert's new replica is more than what it gains."""
    load, table = np.array([2.0, 2, 14, 2]), np.array([[0, 1, 2], [3, 0, 1]])
    _, _, moves, peaks = _repaired(load, table)
    assert peaks[-1] == 10
    assert moves[-1] == 1

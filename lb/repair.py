"""Repair one layer's placement step by step: what each step receives and what it gains.

The vocabulary is that of :mod:`lb.packing`. A step changes one slot (an expert with replicas gives
a slot to another expert) or two (two ranks swap an expert each).
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.packing import holds, replica_weight


@kernel
def repair(
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    spread: float,
    tolerance: float,
    most: int,
    steps: NDArray[np.int64],
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
) -> int:
    """Take the best steps, one after another, and write down each.

    A step has to take something off the slowest rank. The best one lowers the expected excess most,
    for each expert that a rank must receive for it; an expert that the rank held at the start is
    there already. The expected excess is the sum of squared excesses of rank times over the mean,
    and of the variances of all replicas' weights, which rewards splitting what is hot.

    Parameters
    ----------
    table
        [ranks, slots_per_rank] changed in place, to what all steps lead to.
    spread
        Standard deviation of what a replica will weigh, relative to its weight.
    tolerance
        Excess of the slowest rank, relative to the mean, at which to stop.
    most
        Moves after which to stop.
    steps
        [limit, 4] filled: slot and expert, twice; the second slot is -1 where one changes.
    moves, peaks
        [limit + 1] filled: experts received, and time of the slowest rank, after so many steps.

    Returns
    -------
    int
        Steps taken; there may be fewer than the limit.
    """
    ranks, width = table.shape
    experts = load.size
    held = np.zeros((ranks, experts), dtype=np.bool_)
    for rank in range(ranks):
        for place in range(width):
            held[rank, table[rank, place]] = True
    replicas = np.empty(experts, dtype=np.int64)
    ranks_of = np.empty((experts, ranks), dtype=np.int64)
    weight = np.empty(experts)
    rank_load = np.empty(ranks)
    _take_stock(load, cost, table, replicas, ranks_of, weight, rank_load)
    mean = rank_load.sum() / (1.0 / slowness).sum()
    moves[0], peaks[0] = 0, (rank_load * slowness).max()
    taken = 0
    while taken < len(steps) and moves[taken] < most and peaks[taken] > (1.0 + tolerance) * mean:
        step = steps[taken]
        score, received = _best_gift(
            load,
            cost,
            slowness,
            table,
            replicas,
            ranks_of,
            weight,
            rank_load,
            mean,
            spread**2,
            held,
            step,
        )
        swap_score, swap_received = _best_swap(
            slowness, table, replicas, weight, rank_load, mean, held, score, step
        )
        if swap_score > score:
            score, received = swap_score, swap_received
        if score <= 0.0:
            break
        for change in range(0, 4, 2):
            if step[change] >= 0:
                table[step[change] // width, step[change] % width] = step[change + 1]
        _take_stock(load, cost, table, replicas, ranks_of, weight, rank_load)
        taken += 1
        moves[taken] = moves[taken - 1] + received
        peaks[taken] = (rank_load * slowness).max()
    return taken


@kernel
def _take_stock(
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    table: NDArray[np.int64],
    replicas: NDArray[np.int64],
    ranks_of: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_load: NDArray[np.float64],
) -> None:
    """Count replicas, list their ranks, weigh them and add up the ranks."""
    ranks, width = table.shape
    replicas[:] = 0
    for rank in range(ranks):
        for place in range(width):
            expert = table[rank, place]
            ranks_of[expert, replicas[expert] % ranks] = rank
            replicas[expert] += 1
    for expert in range(load.size):
        weight[expert] = replica_weight(load[expert], replicas[expert], cost)
    for rank in range(ranks):
        rank_load[rank] = 0.0
        for place in range(width):
            rank_load[rank] += weight[table[rank, place]]


@kernel
def _excess(time: float, mean: float) -> float:
    return (time - mean) ** 2 if time > mean else 0.0


@kernel
def _received(held: NDArray[np.bool_], rank: int, gone: int, come: int) -> int:
    """Return how many more experts the rank must receive if one comes and one goes."""
    return int(not held[rank, come]) - int(not held[rank, gone])


@kernel
def _score(gain: float, received: int) -> float:
    """Return the gain for each expert received; what costs nothing comes before all else."""
    return gain / received if received > 0 else gain * 1e6


@kernel
def _best_gift(
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    replicas: NDArray[np.int64],
    ranks_of: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    mean: float,
    variance: float,
    held: NDArray[np.bool_],
    step: NDArray[np.int64],
) -> tuple[float, int]:
    """Find the slot of an expert with replicas that another expert makes better use of."""
    ranks, width = table.shape
    slowest = int(np.argmax(rank_load * slowness))
    best, best_received = 0.0, 0
    change = np.zeros(ranks)
    everyone = np.arange(load.size)
    for rank in range(ranks):
        for place in range(width):
            giver = table[rank, place]
            if replicas[giver] == 1 or replicas[giver] > ranks:
                continue
            if rank != slowest and holds(table, width, slowest, giver):
                continue
            fewer = replicas[giver] - 1
            heavier = replica_weight(load[giver], fewer, cost)
            riskier = fewer * heavier**2 - replicas[giver] * weight[giver] ** 2
            # on the slowest rank anything lighter may come, elsewhere what the slowest one has
            candidates = everyone if rank == slowest else table[slowest]
            for one in candidates:
                taker = int(one)
                if taker == giver or replicas[taker] >= ranks or holds(table, width, rank, taker):
                    continue
                more = replicas[taker] + 1
                lighter = replica_weight(load[taker], more, cost)
                if rank == slowest and lighter >= weight[giver]:
                    continue
                for i in range(replicas[giver]):
                    change[ranks_of[giver, i]] += heavier - weight[giver]
                for i in range(replicas[taker]):
                    change[ranks_of[taker, i]] += lighter - weight[taker]
                change[rank] += lighter - heavier
                gain = variance * (
                    replicas[taker] * weight[taker] ** 2 - more * lighter**2 - riskier
                )
                gain += _settled(
                    change, ranks_of[giver, : replicas[giver]], rank_load, slowness, mean
                )
                gain += _settled(
                    change, ranks_of[taker, : replicas[taker]], rank_load, slowness, mean
                )
                if gain <= 0.0:
                    continue
                received = _received(held, rank, giver, taker)
                score = _score(gain, received)
                if score > best:
                    best, best_received = score, received
                    step[0], step[1] = rank * width + place, taker
                    step[2], step[3] = -1, -1
    return best, best_received


@kernel
def _settled(
    change: NDArray[np.float64],
    changed: NDArray[np.int64],
    rank_load: NDArray[np.float64],
    slowness: NDArray[np.float64],
    mean: float,
) -> float:
    """Return what squared excess the changes of some ranks take away, and reset the changes."""
    gain = 0.0
    for rank in changed:
        gain += _excess(rank_load[rank] * slowness[rank], mean)
        gain -= _excess((rank_load[rank] + change[rank]) * slowness[rank], mean)
        change[rank] = 0.0
    return gain


@kernel
def _best_swap(
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    replicas: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    mean: float,
    held: NDArray[np.bool_],
    least: float,
    step: NDArray[np.int64],
) -> tuple[float, int]:
    """Find two experts, one on the slowest rank, that should change places; if above ``least``."""
    ranks, width = table.shape
    slowest = int(np.argmax(rank_load * slowness))
    own = slowness[slowest]
    before = _excess(rank_load[slowest] * own, mean)
    best, best_received = least, 0
    for rank in range(ranks):
        if rank == slowest:
            continue
        together = before + _excess(rank_load[rank] * slowness[rank], mean)
        for mine in range(width):
            expert = table[slowest, mine]
            if replicas[expert] > 1 and holds(table, width, rank, expert):
                continue
            for theirs in range(width):
                other = table[rank, theirs]
                less = weight[expert] - weight[other]
                if less <= 0.0:
                    continue
                gain = together - _excess((rank_load[slowest] - less) * own, mean)
                gain -= _excess((rank_load[rank] + less) * slowness[rank], mean)
                # two moves unless one was undone: a swap has to be that good to be looked at
                if gain <= 0.0:
                    continue
                received = _received(held, slowest, expert, other)
                received += _received(held, rank, other, expert)
                score = _score(gain, received)
                if score > best and not (
                    replicas[other] > 1 and holds(table, width, slowest, other)
                ):
                    best, best_received = score, received
                    step[0], step[1] = slowest * width + mine, other
                    step[2], step[3] = rank * width + theirs, expert
    return best, best_received

"""Repair one layer's placement step by step, by the gain of each step for its moves.

The vocabulary is that of :mod:`lb.packing`. A step changes one slot (an expert with replicas gives
a slot to another expert) or two (two ranks swap an expert each).
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.packing import replica_weight
from lb.repair_steps import best_gift, best_swap


@kernel
def repair(
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    spread: float,
    tolerance: float,
    most: int,
    price: float,
    steps: NDArray[np.int64],
    moves: NDArray[np.int64],
    peaks: NDArray[np.float64],
) -> int:
    """Take the best step again and again, and record each.

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
    price
        Time of the slowest rank that a move is worth: the steps end where even perfect balance
        would not repay the moves made since the best prefix.
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
    # Step 1: who holds what, and what it weighs.
    copies = np.zeros((ranks, experts), dtype=np.int64)
    replicas = np.zeros(experts, dtype=np.int64)
    homes = np.empty((experts, ranks), dtype=np.int64)
    num_homes = np.zeros(experts, dtype=np.int64)
    for rank in range(ranks):
        for place in range(width):
            _settle(rank, table[rank, place], copies, replicas, homes, num_homes)
    held = copies > 0
    weight = np.empty((experts, 3))  # of a replica: with one replica fewer, as it is, one more
    for expert in range(experts):
        _weigh(expert, load, cost, replicas, weight)
    rank_time = np.empty(ranks)
    for rank in range(ranks):
        _add_up(rank, table, weight, slowness, rank_time)
    mean = _mean_time(rank_time, slowness)
    moves[0], peaks[0] = 0, _largest(rank_time)
    # Step 2: the best step again and again. `best` is the prefix that pays best at the price.
    taken = best = 0
    while taken < len(steps) and moves[taken] < most and peaks[taken] > (1.0 + tolerance) * mean:
        if price * (moves[taken] - moves[best]) > peaks[best] - mean:
            break
        step = steps[taken]
        score, received = best_gift(
            slowness,
            table,
            copies,
            replicas,
            homes,
            num_homes,
            weight,
            rank_time,
            mean,
            spread**2,
            held,
            step,
        )
        # A swap overwrites the gift in `step` only if its score is higher.
        swap_score, swap_received = best_swap(
            slowness, table, copies, weight, rank_time, mean, held, score, step
        )
        if swap_score > score:
            score, received = swap_score, swap_received
        if score <= 0.0:
            break  # no step lowers the expected excess
        _take(
            step,
            load,
            cost,
            slowness,
            table,
            copies,
            replicas,
            homes,
            num_homes,
            weight,
            rank_time,
        )
        taken += 1
        moves[taken] = moves[taken - 1] + received
        peaks[taken] = _largest(rank_time)
        if peaks[taken] + price * moves[taken] < peaks[best] + price * moves[best]:
            best = taken
    return taken


@kernel
def _mean_time(rank_time: NDArray[np.float64], slowness: NDArray[np.float64]) -> float:
    """Return the time of perfect balance."""
    weight, speed = 0.0, 0.0
    for rank in range(slowness.size):
        weight += rank_time[rank] / slowness[rank]
        speed += 1.0 / slowness[rank]
    return weight / speed


@kernel
def _largest(values: NDArray[np.float64]) -> float:
    largest = values[0]
    for value in values:
        largest = max(largest, value)
    return float(largest)


@kernel
def _take(
    step: NDArray[np.int64],
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    copies: NDArray[np.int64],
    replicas: NDArray[np.int64],
    homes: NDArray[np.int64],
    num_homes: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_time: NDArray[np.float64],
) -> None:
    """Change the slots of a step, and bring counts, weights and times up to date."""
    width = table.shape[1]
    gone = table[step[0] // width, step[0] % width]
    for change in range(0, 4, 2):
        if step[change] >= 0:
            rank, place = step[change] // width, step[change] % width
            _leave(rank, table[rank, place], copies, replicas, homes, num_homes)
            _settle(rank, step[change + 1], copies, replicas, homes, num_homes)
            table[rank, place] = step[change + 1]
    for expert in (gone, step[1]):
        _weigh(expert, load, cost, replicas, weight)
    _add_up(step[0] // width, table, weight, slowness, rank_time)
    # A gift changes the weight of all replicas of both experts, wherever they are.
    for expert in (gone, step[1]):
        for rank in homes[expert, : num_homes[expert]]:
            _add_up(rank, table, weight, slowness, rank_time)


@kernel
def _settle(
    rank: int,
    expert: int,
    copies: NDArray[np.int64],
    replicas: NDArray[np.int64],
    homes: NDArray[np.int64],
    num_homes: NDArray[np.int64],
) -> None:
    """Count one more replica of the expert on the rank."""
    if copies[rank, expert] == 0:
        homes[expert, num_homes[expert]] = rank
        num_homes[expert] += 1
    copies[rank, expert] += 1
    replicas[expert] += 1


@kernel
def _leave(
    rank: int,
    expert: int,
    copies: NDArray[np.int64],
    replicas: NDArray[np.int64],
    homes: NDArray[np.int64],
    num_homes: NDArray[np.int64],
) -> None:
    """Count one replica of the expert on the rank less."""
    copies[rank, expert] -= 1
    replicas[expert] -= 1
    if copies[rank, expert] == 0:
        num_homes[expert] -= 1
        last = num_homes[expert]
        for home in range(last):
            if homes[expert, home] == rank:
                homes[expert, home] = homes[expert, last]


@kernel
def _weigh(
    expert: int,
    load: NDArray[np.float64],
    cost: NDArray[np.float64],
    replicas: NDArray[np.int64],
    weight: NDArray[np.float64],
) -> None:
    for more in range(3):
        count = max(1, replicas[expert] + more - 1)
        weight[expert, more] = replica_weight(load[expert], count, cost)


@kernel
def _add_up(
    rank: int,
    table: NDArray[np.int64],
    weight: NDArray[np.float64],
    slowness: NDArray[np.float64],
    rank_time: NDArray[np.float64],
) -> None:
    total = 0.0
    for expert in table[rank]:
        total += weight[expert, 1]
    rank_time[rank] = total * slowness[rank]

"""The best single step that takes load off a layer's slowest rank.

copies
    [ranks, experts] slots of the expert on the rank, usually 0 or 1.
homes, num_homes
    [experts, ranks] ranks of each expert, as many as ``num_homes`` [experts] says.
weight
    [experts, 3] of a replica with one replica fewer, as it is, and with one more.
rank_time
    [ranks] weights of the rank times its slowness.
held
    [ranks, experts] what the ranks held at the start and need not receive.

Of a gift, what happens on the ranks of the giver and on those of the taker is computed once for
each; where both are on one rank, that rank is computed anew.
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel


@kernel
def _excess(time: float, mean: float) -> float:
    over = max(0.0, time - mean)
    return over * over


@kernel
def _received(held: NDArray[np.bool_], rank: int, gone: int, come: int) -> int:
    """Return how many more experts the rank must receive if one comes and one goes."""
    return int(held[rank, gone]) - int(held[rank, come])


@kernel
def _score(gain: float, received: int) -> float:
    """Return the gain for each expert received; steps without a move come first."""
    return gain / received if received > 0 else gain * 1e6


@kernel
def _effects(
    slowness: NDArray[np.float64],
    copies: NDArray[np.int64],
    replicas: NDArray[np.int64],
    homes: NDArray[np.int64],
    num_homes: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_time: NDArray[np.float64],
    mean: float,
    variance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [experts] what one replica more, or one fewer, takes off the expected excess.

    Present replicas get lighter or heavier. The caller counts the slot that changes hands.
    """
    experts = len(replicas)
    relief = np.empty(experts)
    burden = np.empty(experts)
    for expert in range(experts):
        count, heavier = replicas[expert], weight[expert, 0]
        now, lighter = weight[expert, 1], weight[expert, 2]
        relief[expert] = variance * (count * now**2 - (count + 1) * lighter**2)
        burden[expert] = variance * (count * now**2 - (count - 1) * heavier**2)
        for rank in homes[expert, : num_homes[expert]]:
            each = copies[rank, expert] * slowness[rank]
            before = _excess(rank_time[rank], mean)
            relief[expert] += before - _excess(rank_time[rank] + each * (lighter - now), mean)
            burden[expert] += before - _excess(rank_time[rank] + each * (heavier - now), mean)
    return relief, burden


@kernel
def best_gift(
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    copies: NDArray[np.int64],
    replicas: NDArray[np.int64],
    homes: NDArray[np.int64],
    num_homes: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_time: NDArray[np.float64],
    mean: float,
    variance: float,
    held: NDArray[np.bool_],
    step: NDArray[np.int64],
) -> tuple[float, int]:
    """Find the best slot to pass from an expert with several replicas to another expert.

    Returns its score and the experts received, and fills ``step``; a score of 0 where there is
    none.
    """
    ranks, width = table.shape
    experts = len(replicas)
    slowest = int(np.argmax(rank_time))
    relief, burden = _effects(
        slowness, copies, replicas, homes, num_homes, weight, rank_time, mean, variance
    )
    best, best_received = 0.0, 0
    for rank in range(ranks):
        for place in range(width):
            giver = table[rank, place]
            if replicas[giver] == 1:
                continue
            rise = weight[giver, 0] - weight[giver, 1]
            # Time of the slot's rank after the giver has one replica fewer: with the slot, and
            # without it.
            alone = rank_time[rank] + copies[rank, giver] * rise * slowness[rank]
            emptied = alone - weight[giver, 0] * slowness[rank]
            # on the slowest rank anything lighter may come, elsewhere what the slowest one has
            for one in range(experts if rank == slowest else width):
                taker = one if rank == slowest else table[slowest, one]
                lighter = weight[taker, 2]
                if (
                    copies[rank, taker] > 0
                    or num_homes[taker] == ranks
                    or (rank == slowest and lighter >= weight[giver, 1])
                ):
                    continue
                fall = weight[taker, 1] - lighter
                if (
                    rank != slowest
                    and copies[slowest, giver] * rise >= copies[slowest, taker] * fall
                ):
                    continue  # the slowest rank would be none the faster
                # The slot itself, beside what happens to the other replicas of both experts.
                gain = burden[giver] + relief[taker]
                gain += _excess(alone, mean) - _excess(emptied + lighter * slowness[rank], mean)
                # Ranks with both experts were counted for each alone: count them together.
                for home in homes[taker, : num_homes[taker]]:
                    if copies[home, giver] > 0:
                        up = copies[home, giver] * rise * slowness[home]
                        down = copies[home, taker] * fall * slowness[home]
                        gain += _excess(rank_time[home] + up, mean)
                        gain += _excess(rank_time[home] - down, mean)
                        gain -= _excess(rank_time[home], mean)
                        gain -= _excess(rank_time[home] + up - down, mean)
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
def best_swap(
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    copies: NDArray[np.int64],
    weight: NDArray[np.float64],
    rank_time: NDArray[np.float64],
    mean: float,
    held: NDArray[np.bool_],
    least: float,
    step: NDArray[np.int64],
) -> tuple[float, int]:
    """Find the best swap of an expert of the slowest rank with one of another rank.

    Returns the score and the experts received, and fills ``step``, if the score is above ``least``.
    """
    ranks, width = table.shape
    slowest = int(np.argmax(rank_time))
    own = slowness[slowest]
    before = _excess(rank_time[slowest], mean)
    best, best_received = least, 0
    for rank in range(ranks):
        if rank == slowest:
            continue
        together = before + _excess(rank_time[rank], mean)
        for mine in range(width):
            expert = table[slowest, mine]
            if copies[rank, expert] > 0:
                continue
            heavy = weight[expert, 1]
            for theirs in range(width):
                other = table[rank, theirs]
                less = heavy - weight[other, 1]
                if less <= 0.0:
                    continue
                gain = together - _excess(rank_time[slowest] - less * own, mean)
                gain -= _excess(rank_time[rank] + less * slowness[rank], mean)
                # two moves unless one was undone: a swap has to be that good to be looked at
                if gain <= 0.0:
                    continue
                received = _received(held, slowest, expert, other)
                received += _received(held, rank, other, expert)
                score = _score(gain, received)
                if score > best and copies[slowest, other] == 0:
                    best, best_received = score, received
                    step[0], step[1] = slowest * width + mine, other
                    step[2], step[3] = rank * width + theirs, expert
    return best, best_received

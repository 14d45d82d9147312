"""Steps that solvers share: rank experts, replicate the heaviest, pack longest first.

The kernels work on one layer. ``weight`` is the cost of one replica, ``ranking`` the experts by
falling weight, ``slowness`` the time per unit of weight of each rank (1 where ranks are equal),
``table`` [ranks, slots_per_rank] the experts of each rank.
"""

import numpy as np
from numpy.typing import NDArray

from lb.copy_into import copy_into
from lb.kernel import inlined, kernel
from lb.problem import Problem

#: Larger than any key of a load: the rank takes nothing more.
FULL = int(np.iinfo(np.int64).max)


def rank_slowness(problem: Problem) -> NDArray[np.float64]:
    """Return [ranks] relative time per token: 1 for every rank unless ``rank_speed`` is given."""
    if problem.rank_speed is None:
        return np.ones(problem.num_ranks)
    return 1 / problem.rank_speed


def cost_points(problem: Problem) -> NDArray[np.float64]:
    """Return ``expert_cost`` [points, 2] for :func:`replica_weight`; no points where it is None."""
    return np.empty((0, 2)) if problem.expert_cost is None else problem.expert_cost


def heaviest_first(load: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return [layers, experts] ids by falling load; of equal loads the lower id comes first.

    Non-negative numbers are ordered like their bits, so one sort of integers that end in the
    expert's id does both. It gives up the last digits of the load, a part in 10^13 for 256 experts.
    """
    experts = load.shape[1]
    id_bits = (1 << (experts - 1).bit_length()) - 1
    # Inverted bits put the largest load first; the mask clears the sign and makes room for the id.
    keys = ~load.view(np.int64) & (FULL ^ id_bits)
    keys |= np.arange(experts)
    keys.sort(axis=1)
    keys &= id_bits
    return keys


@kernel
def replica_weight(tokens: float, copies: int, cost: NDArray[np.float64]) -> float:
    """Return the cost of one of ``copies`` replicas: its tokens, or the convex cost of them.

    ``cost`` [points, 2] as in :class:`lb.Problem`; without points tokens are the cost.
    """
    each = tokens / copies
    points = len(cost)
    if points == 0:
        return each
    low, high = 0, points - 1  # the stretch from low to low + 1, the last one going on for ever
    while high - low > 1:
        middle = (low + high) // 2
        if cost[middle, 0] <= each:
            low = middle
        else:
            high = middle
    slope = (cost[low + 1, 1] - cost[low, 1]) / (cost[low + 1, 0] - cost[low, 0])
    return float(cost[low, 1] + slope * (each - cost[low, 0]))


@kernel
def replicate(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    num_slots: int,
    num_ranks: int,
    cost: NDArray[np.float64],
    replicas: NDArray[np.int64],
    weight: NDArray[np.float64],
    ranking: NDArray[np.int64],
) -> None:
    """Give each redundant slot to the expert with the largest load per replica.

    Of equal experts with several replicas, the one with fewer goes first. Experts without load
    share the spare slots. An expert on every rank gets no more.
    Fills ``replicas``, ``weight`` and ``ranking``, in which experts on every rank come first.

    ``order`` is :func:`heaviest_first`. Experts with a second replica are few and are kept sorted;
    the others wait in their order.
    """
    experts = load.size
    replicas[:] = 1
    copy_into(weight, load)
    copied = np.empty(experts, dtype=np.int64)  # the one to be copied next stands last
    count = 0
    waiting = 0  # order[waiting:] still have one replica
    everywhere = 0  # experts on every rank, at the front of the ranking
    # Step 1: hand out the redundant slots. On a tie, an expert with several replicas goes before
    # one with a single replica, unless neither has load.
    for _ in range(num_slots - experts):
        if count and (
            waiting == experts
            or weight[copied[count - 1]] > load[order[waiting]]
            or weight[copied[count - 1]] == load[order[waiting]] > 0.0
        ):
            count -= 1
            expert = copied[count]
        else:
            expert = order[waiting]
            waiting += 1
        replicas[expert] += 1
        weight[expert] = load[expert] / replicas[expert]
        if replicas[expert] == num_ranks:
            ranking[everywhere] = expert
            everywhere += 1
            continue
        # Insert it into the sorted experts with replicas.
        place = count
        while place and _hotter(copied[place - 1], expert, weight, replicas):
            copied[place] = copied[place - 1]
            place -= 1
        copied[place] = expert
        count += 1
    # Step 2: merge both sorted lists into the ranking.
    for rank in range(everywhere, experts):
        if count and (waiting == experts or weight[copied[count - 1]] > load[order[waiting]]):
            count -= 1
            ranking[rank] = copied[count]
        else:
            ranking[rank] = order[waiting]
            waiting += 1
    # The cost rises with the tokens of a replica, so that the ranking stays as it is.
    if len(cost):
        for expert in range(experts):
            weight[expert] = replica_weight(load[expert], replicas[expert], cost)


@inlined
def _hotter(one: int, other: int, weight: NDArray[np.float64], replicas: NDArray[np.int64]) -> bool:
    if weight[one] != weight[other]:
        return bool(weight[one] > weight[other])
    if replicas[one] != replicas[other]:
        return bool(replicas[one] < replicas[other])
    return one < other


@kernel
def pack(
    weight: NDArray[np.float64],
    ranking: NDArray[np.int64],
    replicas: NDArray[np.int64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    rank_load: NDArray[np.float64],
) -> None:
    """Place every replica, in the order of the ranking, on the rank that would finish first.

    Fills ``table`` and ``rank_load`` [ranks]. No expert lands twice on one rank. This is the
    longest-processing-time rule of Graham (1969, SIAM Journal on Applied Mathematics 17(2),
    doi:10.1137/0117039) with a limit on the items of a rank.

    Where ranks are equal, the least loaded one is the least of integers made of the bits of a load
    and the number of its rank: a minimum that processors take of many numbers at once. Which rank
    of unequal speed finishes first depends on the weight that is placed: those are searched.
    """
    ranks, width = table.shape
    used = np.zeros(ranks, dtype=np.int64)
    taken = np.empty(ranks, dtype=np.int64)
    # Key of a rank: the bits of its load, the last of them replaced by its number. The smallest key
    # is the least loaded rank, of equal ones the first; FULL is a closed rank.
    keys = np.arange(ranks)
    ids = 1
    while ids < ranks:
        ids *= 2
    ids -= 1
    rank_load[:] = 0.0
    # The same memory read as integers: loads are not negative, and order like their bits.
    bits = rank_load.view(np.int64)
    equal = True
    for rank in range(ranks):
        equal &= slowness[rank] == slowness[0]
    for expert in ranking:
        amount = weight[expert]
        copies = replicas[expert]
        placed = 0
        while placed < copies:
            if equal:
                key = keys[0]
                for rank in range(1, ranks):
                    key = min(key, keys[rank])
                if key == FULL:
                    break
                chosen = key & ids
            else:
                chosen = _first_to_finish(keys, amount, rank_load, slowness)
                if chosen < 0:
                    break
            table[chosen, used[chosen]] = expert
            used[chosen] += 1
            rank_load[chosen] += amount
            # Closed to further copies of this expert until all are placed.
            keys[chosen] = FULL
            if copies == 1:
                if used[chosen] < width:
                    keys[chosen] = (bits[chosen] & ~ids) | chosen
                break
            taken[placed] = chosen  # closed to the expert's next copies
            placed += 1
        if copies == 1:
            continue
        # Every rank with a free slot holds the expert already: shift another expert.
        for _ in range(copies - placed):
            source = make_room(expert, amount, weight, slowness, table, used, rank_load)
            table[source, used[source]] = expert
            used[source] += 1
            rank_load[source] += amount
        # Making room changes the load of any rank.
        for place in range(placed if placed == copies else ranks):
            rank = taken[place] if placed == copies else place
            keys[rank] = (bits[rank] & ~ids) | rank if used[rank] < width else FULL


@kernel
def _first_to_finish(
    keys: NDArray[np.int64],
    amount: float,
    rank_load: NDArray[np.float64],
    slowness: NDArray[np.float64],
) -> int:
    """Return the open rank that would finish first with ``amount`` more, or -1 if none is open."""
    best, best_time = -1, np.inf
    for rank in range(len(keys)):
        time = (rank_load[rank] + amount) * slowness[rank]
        # an open rank must be found even where all times are beyond the largest number
        if keys[rank] != FULL and (best < 0 or time < best_time):
            best, best_time = rank, time
    return best


@inlined
def holds(table: NDArray[np.int64], used: int, rank: int, expert: int) -> bool:
    """Say whether one of the first ``used`` slots of ``rank`` is the expert's."""
    for slot in range(used):  # noqa: SIM110, numba compiles no generators
        if table[rank, slot] == expert:
            return True
    return False


@kernel
def make_room(
    incoming: int,
    amount: float,
    weight: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    used: NDArray[np.int64],
    rank_load: NDArray[np.float64],
) -> int:
    """Free a slot on a rank without the incoming expert, if all ranks with free slots hold it.

    One expert moves from a full rank to a rank with a free slot that lacks it. There always is one:
    the full rank holds more experts than the rank with a free slot has beside the incoming one. Of
    all such moves, the one with the lowest resulting peak of the two ranks is made. Returns the
    full rank.
    """
    ranks, width = table.shape
    best_peak = np.inf
    best_source, best_slot, best_target = -1, -1, -1
    for source in range(ranks):
        if used[source] < width or holds(table, width, source, incoming):
            continue
        for target in range(ranks):
            if used[target] == width:
                continue
            for slot in range(width):
                moved = table[source, slot]
                if holds(table, used[target], target, moved):
                    continue
                peak = max(
                    (rank_load[target] + weight[moved]) * slowness[target],
                    (rank_load[source] - weight[moved] + amount) * slowness[source],
                )
                if best_source < 0 or peak < best_peak:
                    best_peak = peak
                    best_source, best_slot, best_target = source, slot, target
    moved = table[best_source, best_slot]
    table[best_target, used[best_target]] = moved
    used[best_target] += 1
    rank_load[best_target] += weight[moved]
    used[best_source] -= 1
    rank_load[best_source] -= weight[moved]
    # The last expert of the rank fills the gap, so that its last slot is the free one.
    table[best_source, best_slot] = table[best_source, used[best_source]]
    return best_source

"""Shared steps of the solvers: rank the experts, replicate the hottest, pack longest first.

Every function works on one layer. ``weight`` is the load of one replica, ``ranking`` the experts
by falling weight, ``slowness`` seconds per token of each rank (1 where ranks are equal).
"""

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.problem import Problem


def rank_slowness(problem: Problem) -> NDArray[np.float64]:
    """Return [ranks] relative time per token: 1 for every rank unless ``rank_speed`` is given."""
    if problem.rank_speed is None:
        return np.ones(problem.num_ranks)
    return 1 / problem.rank_speed


def hottest_first(load: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return [layers, experts] ids by falling load; of equal loads the lower id comes first.

    numpy's default sort is several times as fast as its stable one, but orders ties as the
    processor at hand likes; they are put right afterwards.
    """
    order = np.argsort(-load, axis=1)
    _order_ties(load, order)
    return order


@kernel
def _order_ties(load: NDArray[np.float64], order: NDArray[np.int64]) -> None:
    layers, experts = order.shape
    for layer in range(layers):
        start = 0
        for end in range(1, experts + 1):
            if end < experts and load[layer, order[layer, end]] == load[layer, order[layer, start]]:
                continue
            if end - start > 1:
                order[layer, start:end] = np.sort(order[layer, start:end])
            start = end


@kernel
def replicate(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    num_slots: int,
    num_ranks: int,
    replicas: NDArray[np.int64],
    weight: NDArray[np.float64],
    ranking: NDArray[np.int64],
) -> None:
    """Give each redundant slot to the expert with the largest load per replica.

    Of equal ones the expert with fewer replicas goes first, so that experts without load share
    the spare slots instead of crowding them. An expert on every rank is out of the running.
    Fills ``replicas``, ``weight`` and ``ranking``, in which experts on every rank come first.

    ``order`` is :func:`hottest_first`. Only experts that have a second replica enter a heap; the
    others wait in their order, which is why this costs little beyond the sort.
    """
    experts = load.size
    replicas[:] = 1
    weight[:] = load
    heap = np.empty(experts, dtype=np.int64)
    heaped = 0
    waiting = 0  # order[waiting:] still have one replica
    everywhere = 0  # experts on every rank, at the front of the ranking
    for _ in range(num_slots - experts):
        if waiting < experts and (heaped == 0 or load[order[waiting]] >= weight[heap[0]]):
            expert = order[waiting]
            waiting += 1
            heap[heaped] = expert
            place = heaped
            heaped += 1
        else:
            expert = heap[0]
            place = 0
        replicas[expert] += 1
        weight[expert] = load[expert] / replicas[expert]
        if replicas[expert] == num_ranks:
            ranking[everywhere] = expert
            everywhere += 1
            heaped -= 1
            heap[place] = heap[heaped]
        if place == 0:
            _sink(heap, heaped, weight, replicas)
        elif replicas[expert] < num_ranks:
            _rise(heap, place, weight, replicas)
    rank = everywhere
    while heaped or waiting < experts:
        if heaped == 0 or (waiting < experts and load[order[waiting]] >= weight[heap[0]]):
            ranking[rank] = order[waiting]
            waiting += 1
        else:
            ranking[rank] = heap[0]
            heaped -= 1
            heap[0] = heap[heaped]
            _sink(heap, heaped, weight, replicas)
        rank += 1


@kernel
def _hotter(one: int, other: int, weight: NDArray[np.float64], replicas: NDArray[np.int64]) -> bool:
    if weight[one] != weight[other]:
        return bool(weight[one] > weight[other])
    if replicas[one] != replicas[other]:
        return bool(replicas[one] < replicas[other])
    return one < other


@kernel
def _sink(
    heap: NDArray[np.int64], size: int, weight: NDArray[np.float64], replicas: NDArray[np.int64]
) -> None:
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and _hotter(heap[child + 1], heap[child], weight, replicas):
            child += 1
        if _hotter(heap[place], heap[child], weight, replicas):
            break
        heap[place], heap[child] = heap[child], heap[place]
        place = child


@kernel
def _rise(
    heap: NDArray[np.int64], place: int, weight: NDArray[np.float64], replicas: NDArray[np.int64]
) -> None:
    while place and _hotter(heap[place], heap[(place - 1) // 2], weight, replicas):
        parent = (place - 1) // 2
        heap[place], heap[parent] = heap[parent], heap[place]
        place = parent


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

    Fills ``table`` [ranks, slots_per_rank] and ``rank_load`` [ranks]. No expert lands twice on
    one rank. This is the longest-processing-time rule of Graham (1969, SIAM Journal on Applied
    Mathematics 17(2), doi:10.1137/0117039) with a limit on the items of a rank. Equal ranks sit
    in a heap; ranks of unequal speed are searched, because which one finishes first then depends
    on the weight that is placed.
    """
    ranks, width = table.shape
    used = np.zeros(ranks, dtype=np.int64)
    rank_load[:] = 0.0
    heap = np.arange(ranks)
    room = ranks  # ranks that the heap holds: those with a free slot
    equal = slowness.min() == slowness.max()
    taken = np.empty(ranks, dtype=np.int64)
    for expert in ranking:
        amount = weight[expert]
        placed = 0
        while placed < replicas[expert] and room:
            place = 0 if equal else _first_to_finish(heap, room, amount, rank_load, slowness)
            rank = heap[place]
            taken[placed] = rank
            placed += 1
            table[rank, used[rank]] = expert
            used[rank] += 1
            rank_load[rank] += amount
            if placed < replicas[expert] or used[rank] == width:
                # out of the heap, so that the next copy goes elsewhere
                room -= 1
                heap[place] = heap[room]
            if equal:
                _settle(heap, room, rank_load)
        for copy in range(placed - (placed == replicas[expert])):
            if used[taken[copy]] < width:
                heap[room] = taken[copy]
                room += 1
                if equal:
                    _lift(heap, room - 1, rank_load)
        for _ in range(replicas[expert] - placed):
            source, target = _make_room(expert, amount, weight, slowness, table, used, rank_load)
            table[source, used[source]] = expert
            used[source] += 1
            rank_load[source] += amount
            if used[target] == width:
                for place in range(room):
                    if heap[place] == target:
                        heap[place] = heap[room - 1]
                room -= 1
            if equal:
                for place in range(room):
                    _lift(heap, place, rank_load)


@kernel
def _first_to_finish(
    ranks: NDArray[np.int64],
    count: int,
    amount: float,
    rank_load: NDArray[np.float64],
    slowness: NDArray[np.float64],
) -> int:
    best = 0
    best_time = np.inf
    for place in range(count):
        rank = ranks[place]
        time = (rank_load[rank] + amount) * slowness[rank]
        if time < best_time or (time == best_time and rank < ranks[best]):
            best = place
            best_time = time
    return best


@kernel
def _settle(heap: NDArray[np.int64], size: int, rank_load: NDArray[np.float64]) -> None:
    """Move the rank at the top of the heap down to where its load belongs."""
    if size < 2:
        return
    rank = heap[0]
    load = rank_load[rank]
    place = 0
    child = 1
    while child < size:
        if child + 1 < size and rank_load[heap[child + 1]] < rank_load[heap[child]]:
            child += 1
        if load <= rank_load[heap[child]]:
            break
        heap[place] = heap[child]
        place = child
        child = 2 * place + 1
    heap[place] = rank


@kernel
def _lift(heap: NDArray[np.int64], place: int, rank_load: NDArray[np.float64]) -> None:
    """Move the rank at ``place`` up to where its load belongs."""
    rank = heap[place]
    while place and rank_load[rank] < rank_load[heap[(place - 1) // 2]]:
        heap[place] = heap[(place - 1) // 2]
        place = (place - 1) // 2
    heap[place] = rank


@kernel
def _holds(table: NDArray[np.int64], used: NDArray[np.int64], rank: int, expert: int) -> bool:
    for slot in range(used[rank]):  # noqa: SIM110, numba compiles no generators
        if table[rank, slot] == expert:
            return True
    return False


@kernel
def _make_room(
    incoming: int,
    amount: float,
    weight: NDArray[np.float64],
    slowness: NDArray[np.float64],
    table: NDArray[np.int64],
    used: NDArray[np.int64],
    rank_load: NDArray[np.float64],
) -> tuple[int, int]:
    """Free a slot on a rank without the incoming expert, when all room is on ranks that hold it.

    One expert moves from a full rank to a rank with room that lacks it. There always is one: the
    full rank holds more experts than the rank with room has beside the incoming one. Of all such
    moves the one that ends with the lower peak of the two ranks is made. Returns both ranks.
    """
    ranks, width = table.shape
    best_peak = np.inf
    best_source, best_slot, best_target = -1, -1, -1
    for source in range(ranks):
        if used[source] < width or _holds(table, used, source, incoming):
            continue
        for target in range(ranks):
            if used[target] == width:
                continue
            for slot in range(width):
                moved = table[source, slot]
                if _holds(table, used, target, moved):
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
    table[best_source, best_slot] = table[best_source, used[best_source]]
    return best_source, best_target

"""Improve one layer's replica counts: move a replica from one expert to another, pack, polish.

The vocabulary is that of :mod:`lb.packing`.
"""

import numpy as np
from numpy.typing import NDArray

from lb.copy_into import copy_into
from lb.kernel import inlined, kernel
from lb.packing import pack, replica_weight
from lb.polish import polish

#: Iterations for which an expert that gave a replica away gets none back.
TENURE = 6
#: Other rules of apportionment that are tried first: a replica goes to the expert with the largest
#: load / (replicas + offset), so that a larger offset favours the heaviest.
OFFSETS = (0.05, -0.3)


@kernel
def exchange(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    tolerance: float,
    trials: int,
    excess: float,
    replicas: NDArray[np.int64],
    table: NDArray[np.int64],
) -> float:
    """Search replica counts for a placement whose excess is below ``excess``, that of ``table``.

    First other divisor methods of apportionment (Balinski and Young 1982, Fair Representation) than
    load per replica. Then every iteration tries to move one replica from each expert that has
    several to each other one and takes the best such move, better or not; what was just given away
    stays away for a while, so that the search leaves a local optimum behind: a tabu search (Glover
    1989, ORSA Journal on Computing 1(3), doi:10.1287/ijoc.1.3.190). Stops after ``trials`` of them,
    or when one is within ``tolerance`` of perfect balance. Changes ``replicas`` and, if a better
    placement was found, ``table``.

    Returns
    -------
    float
        Excess of ``table``, as :func:`lb.polish.polish` returns it.
    """
    ranks = slowness.size
    experts = load.size
    best = excess
    trial = np.empty_like(table)
    ranking = order.copy()
    barred = np.zeros(experts, dtype=np.int64)  # iteration until which it gets no replica
    iteration = 0
    tried = replicas.copy()
    # Step 1: other rules of apportionment.
    for offset in OFFSETS:
        if best > tolerance:
            _apportion(load, order, table.size, ranks, offset, tried)
            found = _packed(load, tried, cost, slowness, tolerance, ranking, trial)
            if found < best:
                best = found
                _copy_table(table, trial)
                copy_into(replicas, tried)
    # Step 2: tabu search over single exchanges.
    while trials > 0 and best > tolerance:
        iteration += 1
        chosen, giver, taker = np.inf, -1, -1
        for gives in order:
            if replicas[gives] == 1:
                continue
            for takes in order:
                if takes == gives or replicas[takes] == ranks or barred[takes] > iteration:
                    continue
                if trials == 0:
                    break
                trials -= 1
                replicas[gives] -= 1
                replicas[takes] += 1
                found = _packed(load, replicas, cost, slowness, tolerance, ranking, trial)
                # The best of all is kept apart from the move that is made: that one may be worse.
                if found < best:
                    best = found
                    _copy_table(table, trial)
                if found < chosen:
                    chosen, giver, taker = found, gives, takes
                replicas[gives] += 1
                replicas[takes] -= 1
        if giver < 0:
            break
        # Make the best move, better or not. The giver gets nothing back for a while, or the next
        # iteration would undo the move.
        replicas[giver] -= 1
        replicas[taker] += 1
        barred[giver] = iteration + TENURE
    return best


@kernel
def _apportion(
    load: NDArray[np.float64],
    order: NDArray[np.int64],
    num_slots: int,
    num_ranks: int,
    offset: float,
    replicas: NDArray[np.int64],
) -> None:
    """Give each redundant slot to the largest load / (replicas + offset); fills ``replicas``."""
    replicas[:] = 1
    reached = 1  # order[reached:] have one replica, and less load than those before
    for _ in range(num_slots - load.size):
        best, best_priority = -1, -1.0
        for expert in order[:reached]:
            priority = load[expert] / (replicas[expert] + offset)
            if priority > best_priority and replicas[expert] < num_ranks:
                best, best_priority = expert, priority
        # The next expert in the order cannot win before the last one reached has a second replica.
        if best < 0 or (best == order[reached - 1] and reached < load.size):
            reached += 1
            best = best if best >= 0 else order[reached - 1]
        replicas[best] += 1


@kernel
def _packed(
    load: NDArray[np.float64],
    replicas: NDArray[np.int64],
    cost: NDArray[np.float64],
    slowness: NDArray[np.float64],
    tolerance: float,
    ranking: NDArray[np.int64],
    table: NDArray[np.int64],
) -> float:
    """Pack and polish these replicas into ``table``; return the excess.

    ``ranking`` is any permutation of the experts, and is sorted here. That of the last trial is
    nearly right, since few experts have changed their weight.
    """
    weight = np.empty(load.size)
    for expert in range(load.size):
        weight[expert] = replica_weight(load[expert], replicas[expert], cost)
    _sort_by_weight(ranking, weight)
    rank_load = np.empty(slowness.size)
    pack(weight, ranking, replicas, slowness, table, rank_load)
    return polish(
        table, weight, replicas, ranking, slowness, rank_load, tolerance, 10 * slowness.size
    )


@inlined
def _sort_by_weight(ranking: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
    """Sort experts by falling weight, by insertion; of equal ones the lower id comes first."""
    for end in range(1, ranking.size):
        expert = ranking[end]
        place = end
        while place and (
            weight[ranking[place - 1]] < weight[expert]
            or (weight[ranking[place - 1]] == weight[expert] and ranking[place - 1] > expert)
        ):
            ranking[place] = ranking[place - 1]
            place -= 1
        ranking[place] = expert


@inlined
def _copy_table(table: NDArray[np.int64], source: NDArray[np.int64]) -> None:
    for rank in range(len(table)):
        copy_into(table[rank], source[rank])

"""Greedy: replicate what is hottest, then place the longest first where there is least."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.placement import Placement
from lb.problem import Problem


@dataclass(frozen=True)
class Greedy:
    """Replicate by largest load per replica, then place longest first on the least loaded rank.

    Plans for the total load of all windows. An expert never has more copies than there are ranks
    and never sits twice on one rank. With ``rank_speed`` the least loaded rank is the one that
    would finish first.

    The placing step is the longest-processing-time rule of Graham (1969, SIAM Journal on Applied
    Mathematics 17(2), doi:10.1137/0117039) with a limit on the items of a rank.
    """

    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the greedy placement, the layers independent of each other."""
        speed = np.ones(problem.num_ranks) if problem.rank_speed is None else problem.rank_speed
        slots = np.empty((problem.num_layers, problem.num_slots), dtype=np.int64)
        _place_layers(problem.total_load, 1 / speed, slots)
        return Placement(slots, problem.num_ranks)


@kernel
def replicate(load: NDArray[np.float64], num_slots: int, num_ranks: int) -> NDArray[np.int64]:
    """Give each redundant slot to the expert with the largest load per replica.

    Of equal ones the expert with fewer replicas goes first, so that experts without load share
    the spare slots instead of crowding them.
    """
    replicas = np.ones(load.size, dtype=np.int64)
    per_replica = load.copy()
    for _ in range(num_slots - load.size):
        best = 0
        for expert in range(1, load.size):
            ahead = per_replica[expert] - per_replica[best]
            if ahead > 0 or (ahead == 0 and replicas[expert] < replicas[best]):
                best = expert
        replicas[best] += 1
        # an expert on every rank is out of the running
        full = replicas[best] == num_ranks
        per_replica[best] = -1.0 if full else load[best] / replicas[best]
    return replicas


@kernel
def _place_layers(
    load: NDArray[np.float64], slowness: NDArray[np.float64], slots: NDArray[np.int64]
) -> None:
    layers, num_slots = slots.shape
    ranks = slowness.size
    width = num_slots // ranks
    for layer in range(layers):
        replicas = replicate(load[layer], num_slots, ranks)
        weight = load[layer] / replicas
        table = slots[layer].reshape(ranks, width)
        used = np.zeros(ranks, dtype=np.int64)
        rank_load = np.zeros(ranks)
        for expert in np.argsort(-weight, kind="mergesort"):
            holds = np.zeros(ranks, dtype=np.bool_)
            for _ in range(replicas[expert]):
                rank = _least_loaded(rank_load, slowness, weight[expert], used, width, holds)
                if rank < 0:
                    rank = _make_room(
                        table, used, rank_load, slowness, weight, weight[expert], holds
                    )
                table[rank, used[rank]] = expert
                used[rank] += 1
                rank_load[rank] += weight[expert]
                holds[rank] = True


@kernel
def _least_loaded(
    rank_load: NDArray[np.float64],
    slowness: NDArray[np.float64],
    weight: float,
    used: NDArray[np.int64],
    width: int,
    holds: NDArray[np.bool_],
) -> int:
    """Return the rank with room, without the expert, that would finish first; -1 if none."""
    best = -1
    best_time = np.inf
    for rank in range(rank_load.size):
        time = (rank_load[rank] + weight) * slowness[rank]
        if used[rank] < width and not holds[rank] and (best < 0 or time < best_time):
            best = rank
            best_time = time
    return best


@kernel
def _make_room(
    table: NDArray[np.int64],
    used: NDArray[np.int64],
    rank_load: NDArray[np.float64],
    slowness: NDArray[np.float64],
    weight: NDArray[np.float64],
    incoming: float,
    holds: NDArray[np.bool_],
) -> int:
    """Free a slot on a rank without the expert, when all room is on ranks that hold it.

    One expert moves from a full rank to a rank with room that lacks it. There always is one: the
    full rank holds more experts than the rank with room has beside the incoming one. Of all such
    moves the one that ends with the lower peak of the two ranks is made.
    """
    best_peak = np.inf
    best_source, best_slot, best_target = -1, -1, -1
    for target in range(used.size):
        if used[target] == table.shape[1]:
            continue
        for source in range(used.size):
            if holds[source] or used[source] < table.shape[1]:
                continue
            for slot in range(table.shape[1]):
                moved = table[source, slot]
                present = False
                for expert in table[target, : used[target]]:
                    present |= expert == moved
                if present:
                    continue
                peak = max(
                    (rank_load[target] + weight[moved]) * slowness[target],
                    (rank_load[source] - weight[moved] + incoming) * slowness[source],
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
    return best_source

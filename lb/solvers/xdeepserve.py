"""The balancer of the xDeepServe paper: replicate the heaviest experts of each time slice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.kernel import kernel
from lb.packing import holds, make_room
from lb.placement import Placement
from lb.problem import Problem
from lb.rank_by_weight import rank_by_weight
from lb.read_only import read_only

#: What each parameter can be; the first is the default.
CHOICES = {
    "slices": ("windows", "planned"),
    "ties": ("load", "id"),
    "when_stuck": ("best", "hottest"),
    "primaries": ("contiguous", "current"),
    "initial_load": ("primaries", "none"),
    "added_load": ("replica", "expert"),
}


@dataclass(frozen=True)
class XDeepServe:
    """EPLB as xDeepServe describes it (arXiv:2508.02520v6, section 4.5).

    Replicas: the sum over time slices of the heaviest expert's tokens is made small. For each
    redundant slot the candidates are the experts that are heaviest in some slice (of equally hot
    ones the lowest id), every expert's tokens split evenly over its replicas; the one whose further
    replica leaves the least sum gets it. Placement: every expert has a primary slot that stays; the
    redundant replicas, by falling total load of their expert, each go to the least loaded rank with
    a free slot.

    What the paper leaves open is a parameter, and its default an assumption of ours. Every slot is
    filled, because in a placement none is empty. Counts tokens, whatever the ``expert_cost``.

    Parameters
    ----------
    slices
        "windows": a slice is a window of the load; with one window its heaviest expert gets the
        copy. "planned": the only slice is the planned load.
    ties
        Of candidates that leave the same sum, "load" takes the one with the largest total load per
        replica, then the lowest id; "id" the lowest id.
    when_stuck
        Where no candidate makes the sum smaller (two experts are heaviest in one slice), "best"
        takes one of the best all the same, as the published loop does; "hottest" gives the copy to
        the largest total load per replica. Candidates that can have no further copy leave it to
        the latter in any case.
    primaries
        "contiguous": experts in the order of their ids, as evenly over the ranks as can be.
        "current": each on the rank where ``problem.current`` first has it; contiguous where the
        problem states nothing current.
    initial_load
        What a rank carries before redundant replicas are placed: the load of its "primaries", or
        "none".
    added_load
        What a replica counts for on its rank: its share, "replica", or all tokens of its
        "expert".
    allow_duplicates
        Whether a rank may hold an expert twice. If not, and only ranks that hold it have a free
        slot, one replica is moved there from another rank, a primary if need be.
    """

    slices: str = "windows"
    ties: str = "load"
    when_stuck: str = "best"
    primaries: str = "contiguous"
    initial_load: str = "primaries"
    added_load: str = "replica"
    allow_duplicates: bool = False
    forecasts: ClassVar[bool] = True
    known_failures: ClassVar[Mapping[str, str]] = {
        "check_expert_relabelling": "primary slots go by expert id",
        "check_planted_optimum": "primary slots go by expert id, without looking at the load",
    }

    def __call__(self, problem: Problem) -> Placement:
        """Return the placement that the paper's algorithm gives.

        Raises
        ------
        ValueError
            If a parameter is none of the choices above.
        """
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is not one of {', '.join(choices)}"
                )
        counts = problem.load if self.slices == "windows" else problem.planned_load[None]
        slots = np.empty((problem.num_layers, problem.num_slots), dtype=np.int64)
        _place_layers(
            read_only(np.ascontiguousarray(counts.transpose(1, 0, 2))),
            _primary_rank(problem, self.primaries),
            problem.num_ranks,
            self.ties == "load",
            self.when_stuck == "hottest",
            self.initial_load == "primaries",
            self.added_load == "replica",
            self.allow_duplicates,
            slots,
        )
        return Placement(slots, problem.num_ranks)


def _primary_rank(problem: Problem, primaries: str) -> NDArray[np.int64]:
    """Return [layers, experts] the rank of each expert's primary slot."""
    if primaries == "current" and problem.current is not None:
        return problem.current.logical_to_physical[:, :, 0] // problem.slots_per_rank
    experts = np.arange(problem.num_experts)
    return np.tile(experts * problem.num_ranks // problem.num_experts, (problem.num_layers, 1))


@kernel
def _place_layers(
    counts: NDArray[np.float64],
    primary_rank: NDArray[np.int64],
    ranks: int,
    ties_by_load: bool,
    heaviest_when_stuck: bool,
    count_primaries: bool,
    count_shares: bool,
    allow_duplicates: bool,
    slots: NDArray[np.int64],
) -> None:
    layers, slices, experts = counts.shape
    width = slots.shape[1] // ranks
    spare = slots.shape[1] - experts
    most = slots.shape[1] if allow_duplicates else ranks
    for layer in range(layers):
        total = np.zeros(experts)
        for moment in range(slices):
            for expert in range(experts):
                total[expert] += counts[layer, moment, expert]
        # Step 1: numbers of replicas.
        replicas = _replicate(counts[layer], total, spare, most, ties_by_load, heaviest_when_stuck)
        weight = np.empty(experts)
        for expert in range(experts):
            weight[expert] = total[expert] / (replicas[expert] if count_shares else 1)
        table = slots[layer].reshape(ranks, width)
        used = np.zeros(ranks, dtype=np.int64)
        rank_load = np.zeros(ranks)
        # Step 2: primary slots, which do not depend on the load.
        for expert in range(experts):
            rank = primary_rank[layer, expert]
            table[rank, used[rank]] = expert
            used[rank] += 1
            if count_primaries:
                rank_load[rank] += weight[expert]
        # Step 3: redundant replicas, by falling total load of their expert.
        for expert in rank_by_weight(total):
            for _ in range(replicas[expert] - 1):
                _place(expert, weight, table, used, rank_load, allow_duplicates)


@kernel
def _replicate(
    counts: NDArray[np.float64],
    total: NDArray[np.float64],
    spare: int,
    most: int,
    ties_by_load: bool,
    heaviest_when_stuck: bool,
) -> NDArray[np.int64]:
    """Return [experts] replicas, of [slices, experts] tokens."""
    slices, experts = counts.shape
    replicas = np.ones(experts, dtype=np.int64)
    heaviest = np.empty(slices, dtype=np.int64)
    first = np.empty(slices)  # tokens per replica of the heaviest and the second heaviest expert
    second = np.empty(slices)
    for moment in range(slices):
        heaviest[moment] = _heaviest_two(counts, replicas, moment, first, second)
    for _ in range(spare):
        present = 0.0
        for moment in range(slices):
            present += first[moment]
        chosen = -1
        chosen_sum = np.inf
        for moment in range(slices):
            expert = heaviest[moment]
            # No further copy is possible, or this expert has just been tried.
            if replicas[expert] == most or expert == chosen:
                continue
            left = 0.0
            for other in range(slices):
                # Where the expert is the heaviest, its lighter replica or the second heaviest
                # decides the slice; elsewhere nothing changes.
                if heaviest[other] == expert:
                    split = counts[other, expert] / (replicas[expert] + 1)
                    left += max(split, second[other])
                else:
                    left += first[other]
            better = left < chosen_sum
            if left == chosen_sum and chosen >= 0:
                one, two = total[expert] / replicas[expert], total[chosen] / replicas[chosen]
                lower = expert < chosen
                better = one > two or (one == two and lower) if ties_by_load else lower
            if better:
                chosen, chosen_sum = expert, left
        # No candidate can have a copy, or none helps: by total load instead.
        if chosen < 0 or (heaviest_when_stuck and chosen_sum >= present):
            chosen = _largest_replica(total, replicas, most)
        replicas[chosen] += 1
        for moment in range(slices):
            heaviest[moment] = _heaviest_two(counts, replicas, moment, first, second)
    return replicas


@kernel
def _heaviest_two(
    counts: NDArray[np.float64],
    replicas: NDArray[np.int64],
    moment: int,
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> int:
    """Store what the two heaviest experts of a slice have per replica; return the heaviest."""
    heaviest = 0
    first[moment], second[moment] = -1.0, 0.0
    for expert in range(replicas.size):
        share = counts[moment, expert] / replicas[expert]
        if share > first[moment]:
            second[moment] = max(first[moment], 0.0)
            first[moment] = share
            heaviest = expert
        elif share > second[moment]:
            second[moment] = share
    return heaviest


@kernel
def _largest_replica(total: NDArray[np.float64], replicas: NDArray[np.int64], most: int) -> int:
    """Return the expert with the most load per replica, of those that can have one more.

    Of equal ones the expert with the fewest replicas, so that experts without load share the slots.
    """
    best = -1
    for expert in range(total.size):
        if replicas[expert] == most:
            continue
        if best < 0:
            best = expert
            continue
        one, two = total[expert] / replicas[expert], total[best] / replicas[best]
        if one > two or (one == two and replicas[expert] < replicas[best]):
            best = expert
    return best


@kernel
def _place(
    expert: int,
    weight: NDArray[np.float64],
    table: NDArray[np.int64],
    used: NDArray[np.int64],
    rank_load: NDArray[np.float64],
    allow_duplicates: bool,
) -> None:
    """Put one replica on the least loaded rank with a free slot, the first of equal ones."""
    ranks, width = table.shape
    best = -1
    for rank in range(ranks):
        if used[rank] == width:
            continue
        if not allow_duplicates and holds(table, used[rank], rank, expert):
            continue
        if best < 0 or rank_load[rank] < rank_load[best]:
            best = rank
    if best < 0:
        best = make_room(expert, weight[expert], weight, np.ones(ranks), table, used, rank_load)
    table[best, used[best]] = expert
    used[best] += 1
    rank_load[best] += weight[expert]

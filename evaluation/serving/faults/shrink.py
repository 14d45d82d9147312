"""Experts after ranks are lost: a placement over fewer ranks, or without some experts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

import lb
from lb import Placement
from lb.protocols import Solver


class Survivors(NamedTuple):
    """The remainder of a placement.

    Parameters
    ----------
    placement
        Over the surviving ranks, slots as they were; ``None`` if an expert is missing, since a
        placement holds all.
    share
        [layers, slots] of the placement before: the part of its expert's tokens that each slot
        takes, split evenly over the replicas that are left; 0 on lost ranks. With these shares the
        old placement is priced as it now runs.
    missing
        [layers, experts] whether no replica is left.
    """

    placement: Placement | None
    share: NDArray[np.float64]
    missing: NDArray[np.bool_]


def missing_experts(placement: Placement, lost_ranks: Sequence[int]) -> Survivors:
    """Return the remainder of a placement when ranks are lost and no weights are loaded.

    Raises
    ------
    ValueError
        If a rank is out of range or none is left.
    """
    kept = _kept(placement, lost_ranks)
    table, width = placement.physical_to_logical, placement.slots_per_rank
    alive = np.repeat(kept, width)
    count = np.zeros((placement.num_layers, placement.num_experts), dtype=np.int64)
    layers = np.arange(placement.num_layers)[:, None]
    np.add.at(count, (layers, table[:, alive]), 1)
    replicas = np.take_along_axis(count, table, axis=1)
    share = np.divide(1.0, replicas, out=np.zeros(table.shape), where=alive & (replicas > 0))
    missing = count == 0
    whole = None if missing.any() else Placement(table[:, alive], int(kept.sum()))
    return Survivors(whole, share, missing)


def shrunk_placement(
    placement: Placement,
    load: ArrayLike,
    lost_ranks: Sequence[int],
    solver: str | Solver = "greedy",
    most_slots: int | None = None,
) -> Placement:
    """Place all experts anew over the ranks that are left, each at least once.

    Parameters
    ----------
    placement
        Before; its slots per rank are kept, and raised only if the experts would not fit.
    load
        [windows, layers, experts] or [layers, experts] token copies to balance.
    lost_ranks
        Ranks of ``placement`` that are lost; those that are left keep their order.
    solver
        As in :func:`lb.solve`.
    most_slots
        Expert weights of one layer that a rank has memory for; ``None``: as many as it takes.

    Raises
    ------
    ValueError
        If a rank is out of range, none is left, the experts do not fit the memory, or as in
        :func:`lb.solve`.
    """
    kept = int(_kept(placement, lost_ranks).sum())
    slots = max(placement.slots_per_rank, -(-placement.num_experts // kept))
    if most_slots is not None and slots > most_slots:
        raise ValueError(
            f"{placement.num_experts} experts on the {kept} ranks left need slots_per_rank = "
            f"{slots} > {most_slots} = most_slots that memory holds; keep more ranks, go on with "
            "missing experts, or restart"
        )
    left = missing_experts(placement, lost_ranks).placement
    current = left if left is not None and left.slots_per_rank == slots else None
    problem = lb.Problem(np.asarray(load), kept, slots, current=current)
    if problem.num_experts != placement.num_experts or problem.num_layers != placement.num_layers:
        raise ValueError(
            f"load has shape {problem.load.shape}; give [{placement.num_layers} layers, "
            f"{placement.num_experts} experts]"
        )
    return lb.solve(problem, solver)


def _kept(placement: Placement, lost_ranks: Sequence[int]) -> NDArray[np.bool_]:
    """[ranks] whether a rank is left."""
    outside = [rank for rank in lost_ranks if not 0 <= rank < placement.num_ranks]
    if outside:
        raise ValueError(f"lost rank {outside[0]} breaks 0 <= rank < {placement.num_ranks} ranks")
    kept = np.ones(placement.num_ranks, dtype=bool)
    kept[list(lost_ranks)] = False
    if not kept.any():
        raise ValueError(f"all {placement.num_ranks} ranks are lost; no expert is left, restart")
    return kept

"""Plan a placement from the numbers that any engine provides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_integer
from lb.engines.alignment import aligned
from lb.engines.tensors import from_tensor, like
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import solve

#: Solver of an adapter unless another one is given.
DEFAULT_SOLVER = "auto"


@dataclass(frozen=True)
class Planner:
    """Build the problem from an engine's arguments and solve it.

    Parameters
    ----------
    solver
        A registered name (:func:`lb.available`) or any callable from problem to placement.
    params
        Parameters of a named solver.
    dispatcher
        Name of the dispatcher with which the engine splits tokens over replicas; most split
        evenly, or at random.
    """

    solver: str | Solver = DEFAULT_SOLVER
    params: Mapping[str, Any] = field(default_factory=dict)
    dispatcher: str = "even"

    def plan(
        self,
        load: Any,
        num_slots: int,
        num_ranks: int,
        num_groups: int | None = None,
        num_nodes: int = 1,
        current: ArrayLike | None = None,
        max_moves: int | None = None,
    ) -> Placement:
        """Return the solver's placement, its slots aligned with ``current``.

        Parameters
        ----------
        load
            [layers, experts] or [windows, layers, experts] tokens, array or tensor.
        num_slots, num_ranks
            Slots of a layer over all ranks, and the ranks.
        num_groups, num_nodes
            Expert groups of group-limited routing (``None``: none) and nodes. Groups count where
            they divide evenly over the nodes, as deepseek-ai/EPLB has it; elsewhere they are
            left out, and so are nodes that do not divide the ranks.
        current
            [layers, slots] logical expert in each slot now, negative where a slot is empty. A table
            of another shape (ranks came or went), with an empty slot or without an expert is no
            placement to start from: the solver does not see it.
        max_moves
            Experts that ranks may receive; counts where ``current`` is a placement.

        Raises
        ------
        ValueError
            If the problem is infeasible, a load negative or not finite, or the solver unknown.
        """
        slots = checked_integer(num_slots, "num_replicas", at_least=1)
        ranks = checked_integer(num_ranks, "num_gpus", at_least=1)
        nodes = checked_integer(num_nodes, "num_nodes", at_least=1)
        groups = 1
        if num_groups is not None:
            groups = checked_integer(num_groups, "num_groups", at_least=1)
        if slots % ranks:
            raise ValueError(
                f"num_replicas = {slots} over num_gpus = {ranks} leaves {slots % ranks} over; "
                f"every rank owns the same number of slots: give {slots - slots % ranks} or "
                f"{slots - slots % ranks + ranks}"
            )
        hierarchical = num_groups is not None and groups % nodes == 0
        if hierarchical and ranks % nodes:
            raise ValueError(
                f"num_gpus = {ranks} over num_nodes = {nodes} leaves {ranks % nodes} over; "
                "every node has the same number of ranks"
            )
        problem = Problem(
            from_tensor(load),
            ranks,
            slots // ranks,
            # Nodes that do not divide the ranks cannot be of equal size: one node then.
            ranks_per_node=None if ranks % nodes else ranks // nodes,
            expert_groups=groups if hierarchical else 1,
            dispatcher=self.dispatcher,
        )
        before = None if current is None else slot_table(current)
        if before is None or before.shape != (problem.num_layers, problem.num_slots):
            return solve(problem, self.solver, **self.params)
        # Incomplete tables still say which slots to keep, but are no placement to start from.
        known = complete_placement(before, ranks, problem.num_experts)
        if known is not None:
            problem = problem.replace(current=known, max_moves=max_moves)
        return aligned(solve(problem, self.solver, **self.params), before)


def slot_table(table: Any) -> NDArray[np.int64]:
    """Return an engine's slot map, array or tensor, as int64 [layers, slots].

    Raises
    ------
    ValueError
        If it does not hold integers.
    """
    raw = np.asarray(from_tensor(table))
    if raw.dtype.kind not in "iu":
        raise ValueError(f"the current placement has dtype {raw.dtype}; give integers")
    return raw.astype(np.int64)


def start_up_row(num_experts: int, num_slots: int) -> NDArray[np.int64]:
    """Return [slots] the layout of engines at start-up: experts 0, 1, 2 … and over again."""
    return np.arange(num_slots) % num_experts


def complete_placement(
    table: NDArray[np.int64], num_ranks: int, num_experts: int
) -> Placement | None:
    """Return a slot map as a placement; ``None`` if slots are empty or experts are missing."""
    try:
        placement = Placement(table, num_ranks)
    except ValueError:
        return None
    return placement if placement.num_experts == num_experts else None


def three_maps(placement: Placement, model: Any) -> tuple[Any, Any, Any]:
    """Return what deepseek-ai/EPLB returns, int64 arrays or tensors like ``model``.

    Returns
    -------
    tuple
        [layers, slots] expert of each slot; [layers, experts, most replicas] slots of each expert,
        ascending, padded with -1; [layers, experts] replicas.
    """
    maps = (placement.physical_to_logical, placement.logical_to_physical, placement.replica_count)
    slots, slots_of, replicas = (like(one, model) for one in maps)
    return slots, slots_of, replicas


def kept_on_error(on_error: str) -> bool:
    """Whether a policy keeps the placement, and warns, where it would otherwise raise.

    Raises
    ------
    ValueError
        If ``on_error`` is neither "raise" nor "keep".
    """
    if on_error not in ("raise", "keep"):
        raise ValueError(f"on_error = {on_error!r} is neither 'raise' nor 'keep'")
    return on_error == "keep"

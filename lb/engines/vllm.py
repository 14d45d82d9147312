"""vLLM: a rebalancing policy for its current interface and the three before it."""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.engines.deepseek import rebalance_experts
from lb.engines.planner import (
    Planner,
    complete_placement,
    kept_on_error,
    slot_table,
    start_up_row,
    three_maps,
)
from lb.engines.tensors import like
from lb.placement import Placement
from lb.protocols import Solver

__all__ = ["Policy", "PolicyWithMaps", "rebalance_experts"]


class Policy:
    """Policy for vLLM's table of policies: a class with a class method ``rebalance_experts``.

    vLLM never makes an instance, so the parameters are class attributes, and :meth:`configured`
    returns a class with others. Every rank calls the policy for itself and all must get the same
    answer: solvers here are deterministic, and so is what happens on an error.

    Attributes
    ----------
    planner
        Solver and dispatcher.
    max_moves
        Experts that ranks may receive in one call, over all layers; needs a solver that honours
        it, and counts where vLLM hands over a complete current placement.
    on_error
        "raise" lets a ValueError (a load that is negative or not finite, slots that do not divide
        over the ranks) out into the engine. "keep" warns and returns the current placement or,
        where that is incomplete, the start-up layout. Other errors (no memory, a missing package)
        always come out: they may hit one rank alone, and ranks that disagree are worse than an
        engine that stops.

    Examples
    --------
    >>> import numpy as np
    >>> now = np.array([[0, 1, 2, 3, 0, 1]])
    >>> Policy.rebalance_experts(np.array([[9, 1, 1, 1]]), 6, 1, 1, 2, now)
    array([[0, 1, 2, 3, 0, 1]])
    """

    planner: ClassVar[Planner] = Planner()
    max_moves: ClassVar[int | None] = None
    on_error: ClassVar[str] = "raise"

    @classmethod
    def configured(
        cls,
        solver: str | Solver = Planner.solver,
        params: Mapping[str, Any] | None = None,
        dispatcher: str = Planner.dispatcher,
        max_moves: int | None = None,
        on_error: str = "raise",
    ) -> "type[Policy]":
        """Return a policy class with these parameters, tried once so that its code is compiled.

        Raises
        ------
        ValueError
            If the solver or a parameter is unknown, the solver does not honour ``max_moves``, or
            ``on_error`` is neither "raise" nor "keep".
        """
        planner = Planner(solver, dict(params or {}), dispatcher)
        kept_on_error(on_error)
        attributes = {"planner": planner, "max_moves": max_moves, "on_error": on_error}
        planner.plan(np.ones((1, 2)), 4, 2, 1, 1, [[0, 1, 0, 1]], max_moves)
        return type(cls.__name__, (cls,), {"__doc__": cls.__doc__, **attributes})

    @classmethod
    def rebalance_experts(
        cls,
        weight: Any,
        num_replicas: int,
        num_groups: int,
        num_nodes: int,
        num_ranks: int,
        old_global_expert_indices: Any = None,
    ) -> Any:
        """Place the experts of every layer.

        Parameters
        ----------
        weight
            [layers, experts] tokens, torch tensor or numpy array.
        num_replicas
            Slots of a layer over all ranks; a multiple of ``num_ranks``.
        num_groups, num_nodes
            Expert groups and nodes; see :class:`lb.engines.deepseek.Rebalance`.
        num_ranks
            Ranks of the EP group.
        old_global_expert_indices
            [layers, slots] logical expert in each slot now, -1 where a slot is empty. An expert
            that stays on its rank keeps its slot. Of another width (ranks came or went) it is
            left out.

        Returns
        -------
        array or tensor
            [layers, num_replicas] int64 logical expert of each slot, like ``weight``.

        Raises
        ------
        ValueError
            See ``on_error``.
        """
        keeps = kept_on_error(cls.on_error)
        old = old_global_expert_indices
        before = None if old is None else slot_table(old)
        try:
            placement = cls.planner.plan(
                weight, num_replicas, num_ranks, num_groups, num_nodes, before, cls.max_moves
            )
        except ValueError as error:
            kept = _unchanged(np.shape(weight), num_replicas, num_ranks, before)
            if not keeps or kept is None:
                raise
            warnings.warn(f"experts stay where they are: {error}", RuntimeWarning, stacklevel=2)
            placement = kept
        return cls._answer(placement, weight)

    @staticmethod
    def _answer(placement: Placement, weight: Any) -> Any:
        return like(placement.physical_to_logical, weight)


class PolicyWithMaps(Policy):
    """The policy for vLLM before it took the slot map alone.

    Its ``rebalance_experts`` takes the same arguments and returns a tuple like ``weight``, int64:
    [layers, num_replicas] expert of each slot; [layers, experts, X] slots of each expert, padded
    with -1; [layers, experts] replicas.
    """

    @staticmethod
    def _answer(placement: Placement, weight: Any) -> Any:
        return three_maps(placement, weight)


def _unchanged(
    shape: tuple[int, ...], num_slots: int, num_ranks: int, before: NDArray[np.int64] | None
) -> Placement | None:
    """Return what is loaded, else the start-up layout; ``None`` where neither fits."""
    if len(shape) < 2 or not 0 < shape[-1] <= num_slots or num_slots % num_ranks:
        return None
    layers, experts = shape[-2:]
    if before is not None and before.shape == (layers, num_slots):
        known = complete_placement(before, num_ranks, experts)
        if known is not None:
            return known
    return Placement(np.tile(start_up_row(experts, num_slots), (layers, 1)), num_ranks)

"""SGLang: a file for ``--init-expert-location``, and its algorithm hook."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lb.atomic_file import write_file
from lb.checked import checked_amounts, checked_integer
from lb.engines.layers import layer_numbers
from lb.engines.planner import Planner, start_up_row, three_maps
from lb.engines.tensors import from_tensor
from lb.placement import Placement


@dataclass(frozen=True)
class Rebalance(Planner):
    """A callable in the place of ``sglang.srt.eplb.eplb_algorithms.rebalance_experts``.

    Parameters as in :class:`lb.engines.planner.Planner`.
    """

    def __call__(
        self,
        tokens_per_expert: Any,
        num_physical_experts: int,
        num_local_physical_experts: int,
        num_groups: int | None,
        num_nodes: int,
        algorithm: Any = None,
    ) -> tuple[Any, Any, Any]:
        """Place the experts of every layer.

        Parameters
        ----------
        tokens_per_expert
            [steps, layers, experts] tokens; the solver sees the steps as its windows.
        num_physical_experts, num_local_physical_experts
            Slots of a layer over all ranks, and on one.
        num_groups, num_nodes
            Expert groups (``None``: none) and nodes.
        algorithm
            SGLang's choice, an ``EplbAlgorithm``. Groups stay on nodes where its name says
            "hierarchical"; the solver itself is that of this callable.

        Returns
        -------
        tuple
            [layers, slots] expert of each slot; [layers, experts, X] slots of each expert, padded
            with -1; [layers, experts] replicas. int64, like ``tokens_per_expert``.

        Raises
        ------
        ValueError
            If the slots do not divide over the ranks or do not hold the experts, a load is
            negative or not finite, or the algorithm is one that leaves out dead ranks, which this
            hook does not know of.
        """
        name = str(getattr(algorithm, "name", algorithm or ""))
        if name.startswith("elasticity_aware"):
            raise ValueError(
                f"algorithm = {name}: this hook does not know which ranks are alive; choose "
                "--eplb-algorithm deepseek, or leave the hook out"
            )
        local = checked_integer(
            num_local_physical_experts, "num_local_physical_experts", at_least=1
        )
        if num_physical_experts % local:
            raise ValueError(
                f"num_physical_experts = {num_physical_experts} is no multiple of "
                f"num_local_physical_experts = {local}; every rank owns the same number of slots"
            )
        # Without the name of an algorithm groups count, as in deepseek-ai/EPLB.
        groups = num_groups if not name or name.endswith("hierarchical") else None
        ranks = num_physical_experts // local
        placement = self.plan(tokens_per_expert, num_physical_experts, ranks, groups, num_nodes)
        return three_maps(placement, tokens_per_expert)


#: The hook with the default solver.
rebalance_experts = Rebalance()


def expert_location(
    placement: Placement,
    *,
    first_layer: int = 0,
    layer_ids: Sequence[int] | None = None,
    num_layers: int | None = None,
) -> dict[str, Any]:
    """Return the object that ``--init-expert-location`` reads: ``physical_to_logical_map`` alone.

    SGLang numbers all layers of the model and wants a row for each; rows of layers without
    experts get the start-up layout. It takes no other key beside this one.

    Parameters
    ----------
    placement
        Of the MoE layers.
    first_layer, layer_ids
        Numbers of the MoE layers in the model: consecutive from ``first_layer`` (DeepSeek-V3: 3),
        or named one by one.
    num_layers
        Layers of the model, ``num_hidden_layers`` (DeepSeek-V3: 61). By default the last MoE layer
        is the last.

    Raises
    ------
    ValueError
        If layer numbers do not fit the placement or the model.
    """
    numbers = layer_numbers(placement.num_layers, first_layer, layer_ids)
    total = checked_integer(
        numbers[-1] + 1 if num_layers is None else num_layers, "num_layers", at_least=1
    )
    if total <= numbers[-1]:
        raise ValueError(
            f"layer {numbers[-1]} is outside num_layers = {total}; give at least {numbers[-1] + 1}"
        )
    rows = np.tile(start_up_row(placement.num_experts, placement.num_slots), (total, 1))
    rows[numbers] = placement.physical_to_logical
    return {"physical_to_logical_map": rows.tolist()}


def write_expert_location(
    placement: Placement,
    path: str | Path,
    *,
    first_layer: int = 0,
    layer_ids: Sequence[int] | None = None,
    num_layers: int | None = None,
) -> None:
    """Write :func:`expert_location` to a ``.json`` file; SGLang goes by this ending."""
    content = expert_location(
        placement, first_layer=first_layer, layer_ids=layer_ids, num_layers=num_layers
    )
    write_file(json.dumps(content), path, ".json")


def write_logical_count(load: ArrayLike, path: str | Path) -> None:
    """Write loads for ``--init-expert-location``, so that SGLang places them when it starts.

    Parameters
    ----------
    load
        [layers, experts] or [steps, layers, experts] tokens, a row for every layer of the model.
    path
        A ``.json`` file.

    Raises
    ------
    ValueError
        If a load is negative or not finite, or the name ends otherwise.
    """
    raw = from_tensor(load)
    axes = ("layers", "experts") if np.ndim(raw) == 2 else ("steps", "layers", "experts")
    content = {"logical_count": checked_amounts(raw, "load", axes).tolist()}
    write_file(json.dumps(content), path, ".json")

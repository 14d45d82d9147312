"""vLLM-Ascend: its policy interface, and its expert map file."""

import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb import DISPATCHERS
from lb.atomic_file import write_file
from lb.checked import checked_amounts
from lb.engines.planner import Planner, kept_on_error, slot_table
from lb.engines.tensors import from_tensor, like
from lb.placement import Placement

#: A fall of the peak load by no more than this share is rounding, not gain.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Policy(Planner):
    """Replacement for a policy of vLLM-Ascend's ``PolicyFactory``.

    Parameters
    ----------
    solver, params, dispatcher
        As in :class:`lb.engines.planner.Planner`.
    num_groups, num_nodes
        Expert groups of the model and nodes of the EP group, which the engine does not say.
    max_moves
        Experts that ranks may receive in one call, over all layers; needs a solver that honours
        it.
    min_gain
        A layer stays as it is unless the peak load of its ranks falls by more than this share.
    on_error
        "raise" lets a ValueError out (a negative or infinite load, an empty slot). "keep" warns
        and answers that nothing changes. Other errors always come out.
    """

    num_groups: int | None = None
    num_nodes: int = 1
    max_moves: int | None = None
    min_gain: float = 0.0
    on_error: str = "raise"

    def rebalance_experts(
        self, current_expert_table: Any, expert_workload: Any
    ) -> tuple[bool, NDArray[np.int64], Any]:
        """Place the experts of every layer.

        Parameters
        ----------
        current_expert_table
            [layers, ranks, slots_per_rank] logical expert in each slot now, array or tensor.
        expert_workload
            [layers, ranks, slots_per_rank] tokens of each slot, or with windows in front.

        Returns
        -------
        tuple
            Whether a slot changes; the layers that do, largest gain first; the new table, of the
            shape, kind and dtype of the current one. An expert that stays on its rank keeps its
            slot, and a layer in which the solver puts one twice on a rank stays as it is: the
            engine would refuse both.

        Raises
        ------
        ValueError
            See ``on_error``; or if ``min_gain`` or ``on_error`` is out of range.
        """
        if not 0 <= self.min_gain < 1:
            raise ValueError(f"min_gain = {self.min_gain} is outside 0 <= min_gain < 1")
        keeps = kept_on_error(self.on_error)
        raw = np.asarray(from_tensor(current_expert_table))
        try:
            before, load = _as_problem(raw, expert_workload)
            table, order = self._improved(before, load)
        except ValueError as error:
            if not keeps:
                raise
            warnings.warn(f"experts stay where they are: {error}", RuntimeWarning, stacklevel=2)
            table, order = raw, np.empty(0, dtype=np.int64)
        new = like(table.reshape(raw.shape), current_expert_table, dtype=raw.dtype)
        return bool(order.size), order, new

    def _improved(
        self, before: Placement, load: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return [layers, slots] with the layers that gain replaced, and those, best first."""
        after = self.plan(
            load,
            before.num_slots,
            before.num_ranks,
            self.num_groups,
            self.num_nodes,
            before.physical_to_logical,
            self.max_moves,
        )
        peak = self._peak_load(before, load)
        fall = peak - self._peak_load(after, load)
        gain = np.divide(fall, peak, out=np.zeros_like(fall), where=peak > 0)
        # the engine sets back a layer in which a rank holds an expert twice
        accepted = after.duplicate_count == 0
        chosen = np.flatnonzero((gain > self.min_gain + ROUNDING) & accepted)
        table = before.physical_to_logical.copy()
        table[chosen] = after.physical_to_logical[chosen]
        return table, chosen[np.argsort(-gain[chosen], kind="stable")]

    def _peak_load(self, placement: Placement, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [layers] load of the most loaded rank under the dispatcher, mean over windows."""
        # Each window is split for its own load.
        split = DISPATCHERS.make(self.dispatcher)
        peaks = [placement.rank_load(one, split(placement, one)).max(axis=1) for one in load]
        return np.mean(peaks, axis=0)


def _as_problem(table: NDArray[Any], workload: Any) -> tuple[Placement, NDArray[np.float64]]:
    """Return the current placement, and [windows, layers, experts] load summed over replicas."""
    if table.ndim != 3:
        raise ValueError(
            f"current_expert_table has shape {table.shape}; give [layers, ranks, slots_per_rank]"
        )
    before = Placement(slot_table(table.reshape(len(table), -1)), table.shape[1])
    axes: tuple[str, ...] = ("layers", "ranks", "slots")
    raw = from_tensor(workload)
    if np.ndim(raw) == 4:
        axes = ("windows", *axes)
    tokens = checked_amounts(raw, "expert_workload", axes)
    if tokens.shape[-3:] != table.shape:
        raise ValueError(
            f"expert_workload has shape {tokens.shape} for a table of shape {table.shape}; "
            "give one number a slot"
        )
    by_slot = tokens.reshape(-1, *before.physical_to_logical.shape)
    # One cell for each window, layer and expert; add.at sums the replicas in a cell.
    rows = np.arange(len(by_slot) * before.num_layers).reshape(-1, before.num_layers, 1)
    cells = (rows * before.num_experts + before.physical_to_logical).ravel()
    shape = (len(by_slot), before.num_layers, before.num_experts)
    load = np.zeros(math.prod(shape))
    np.add.at(load, cells, by_slot.ravel())
    return before, load.reshape(shape)


def expert_map(placement: Placement) -> dict[str, Any]:
    """Return the object of an expert map file; layers count from 0, in the placement's order."""
    by_rank = placement.physical_to_logical.reshape(placement.num_layers, placement.num_ranks, -1)
    return {
        "moe_layer_count": placement.num_layers,
        "layer_list": [
            {
                "layer_id": layer,
                "device_count": placement.num_ranks,
                "device_list": [
                    {"device_id": rank, "device_expert": experts.tolist()}
                    for rank, experts in enumerate(ranks)
                ],
            }
            for layer, ranks in enumerate(by_rank)
        ],
    }


def write_expert_map(placement: Placement, path: str | Path) -> None:
    """Write the ``.json`` file that ``eplb_config.expert_map_path`` names."""
    write_file(json.dumps(expert_map(placement)), path, ".json")


def read_expert_map(path: str | Path) -> Placement:
    """Return the placement of an expert map file, read as the engine does: by order, not by id.

    Raises
    ------
    ValueError
        Naming the file, if it is no expert map, its counts do not agree with its lists, or its
        devices do not hold the same number of experts.
    OSError
        If it cannot be read.
    """
    try:
        return from_expert_map(json.loads(Path(path).read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def from_expert_map(content: Any) -> Placement:
    """Return the placement of an expert map that is read already; errors as above."""
    try:
        layers = content["layer_list"]
        counts = [len(layers), *(len(layer["device_list"]) for layer in layers)]
        said = [content["moe_layer_count"], *(layer["device_count"] for layer in layers)]
        rows = [
            [expert for device in layer["device_list"] for expert in device["device_expert"]]
            for layer in layers
        ]
        sizes = {len(one["device_expert"]) for layer in layers for one in layer["device_list"]}
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError(f"no expert map: {type(error).__name__}: {error}") from None
    if counts != said:
        raise ValueError(f"counts of layers and devices are {said}, but there are {counts}")
    if len(sizes) != 1 or len(set(counts[1:])) != 1:
        raise ValueError(f"devices hold {sorted(sizes)} experts; each must hold the same number")
    return Placement(np.asarray(rows), counts[1])

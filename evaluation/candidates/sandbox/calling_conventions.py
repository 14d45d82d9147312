"""Calling conventions of third-party programs. Each yields a table of slots.

``problem``: ``solver(problem) -> lb.Placement``. ``eplb``: ``rebalance_experts`` of DeepSeek's EPLB
and of ADRS. ``competition``: ``rebalance`` of the balancing competition.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.competition_protocol import checked_answer
from lb.engines.planner import start_up_row
from lb.engines.tensors import from_tensor


@dataclass(frozen=True)
class ConventionAdapter:
    """An entry with another calling convention as a solver. It runs in this process.

    Parameters
    ----------
    entry
        ``rebalance_experts`` or ``rebalance``.
    convention
        "eplb" or "competition".
    tensors
        Whether the entry gets torch tensors.
    """

    entry: Callable[..., Any]
    convention: str
    tensors: bool = False

    def __call__(self, problem: lb.Problem) -> lb.Placement:
        """Return the placement of the entry; errors as in :func:`slot_table`."""
        loaded = None if problem.current is None else problem.current.physical_to_logical
        table, _ = slot_table(self.entry, self.convention, problem, loaded, self.tensors)
        return lb.Placement(table, problem.num_ranks)


def slot_table(
    entry: Callable[..., Any],
    convention: str,
    problem: lb.Problem,
    loaded: NDArray[np.int64] | None,
    tensors: bool = False,
) -> tuple[NDArray[np.int64], list[int]]:
    """Call an entry and return its table of slots and its order of layers.

    Parameters
    ----------
    entry, convention
        The callable, and its calling convention.
    problem
        The problem. Only the convention "problem" reads ``current``.
    loaded
        [layers, slots] expert of each slot now, or ``None``.
    tensors
        Whether an "eplb" entry gets torch tensors.

    Returns
    -------
    tuple
        [layers, slots] expert of each slot, and the layers to load in their order. The order is
        empty except for "competition".

    Raises
    ------
    Infeasible
        If the answer has a wrong type or shape, or its maps contradict each other.
    ValueError
        If the convention is "competition", and the loads are no whole counts.
    """
    if convention == "problem":
        placement = entry(problem)
        if not isinstance(placement, lb.Placement):
            raise lb.Infeasible(
                f"the answer is a {type(placement).__name__}; a solver returns "
                "lb.Placement(physical_to_logical, num_ranks)"
            )
        return placement.physical_to_logical, []
    if convention == "eplb":
        return _eplb(entry, problem, tensors), []
    return _competition(entry, problem, loaded)


def integers(values: Any, name: str) -> NDArray[np.int64]:
    """Return an array or tensor of whole numbers as int64.

    Raises
    ------
    Infeasible
        If the rows have different lengths, or a value is no finite whole number.
    """
    try:
        array = np.asarray(from_tensor(values))
    except ValueError:
        raise lb.Infeasible(f"{name} is ragged; give an array of integers") from None
    if array.dtype.kind == "f":
        wrong = ~(np.isfinite(array) & (array == np.floor(array)))
        if wrong.any():
            value = array[wrong][0]
            raise lb.Infeasible(f"{name} holds {value}; ids of experts are whole numbers")
    elif array.dtype.kind not in "iu":
        raise lb.Infeasible(f"{name} has dtype {array.dtype}; give integers")
    return array.astype(np.int64)


def integer_counts(load: NDArray[np.float64]) -> NDArray[Any]:
    """Return loads as int64 if all are whole, as ADRS passes them; otherwise unchanged."""
    counts = load.astype(np.int64)
    return counts if (counts == load).all() else load


def _eplb(entry: Callable[..., Any], problem: lb.Problem, tensors: bool) -> NDArray[np.int64]:
    weight: Any = integer_counts(problem.planned_load)
    if tensors:
        torch = importlib.import_module("torch")

        weight = torch.from_numpy(np.array(weight))
    sizes = problem.num_slots, problem.expert_groups, problem.num_nodes, problem.num_ranks
    answer = entry(weight, *sizes)
    # DeepSeek returns three maps (phy2log, log2phy, logcnt); other programs return phy2log alone.
    maps = answer if isinstance(answer, tuple | list) and len(answer) == 3 else (answer,)
    table = integers(maps[0], "phy2log")
    _check_table(table, (problem.num_layers, problem.num_slots), problem.num_experts)
    if len(maps) == 3:
        _check_maps(table, integers(maps[1], "log2phy"), integers(maps[2], "logcnt"), problem)
    return table


def _check_table(table: NDArray[np.int64], shape: tuple[int, int], experts: int) -> None:
    if table.shape != shape:
        raise lb.Infeasible(f"phy2log has shape {table.shape}; give {shape}, [layers, slots]")
    if table.min() < 0 or table.max() >= experts:
        worst = table.min() if table.min() < 0 else table.max()
        raise lb.Infeasible(f"phy2log holds {worst}; experts run from 0 to {experts - 1}")


def _check_maps(
    table: NDArray[np.int64],
    slots_of: NDArray[np.int64],
    replicas: NDArray[np.int64],
    problem: lb.Problem,
) -> None:
    """Raise unless the three maps describe the same placement."""
    layers, experts = problem.num_layers, problem.num_experts
    # Count the replicas of all layers in one pass: expert e of layer l becomes l * experts + e.
    offset = np.arange(layers)[:, None] * experts
    count = np.bincount((table + offset).ravel(), minlength=layers * experts)
    count = count.reshape(layers, experts)
    if replicas.shape != count.shape or (replicas != count).any():
        raise lb.Infeasible(
            "logcnt does not count what phy2log places; give replicas [layers, experts]"
        )
    if slots_of.ndim != 3 or slots_of.shape[:2] != (layers, experts):
        raise lb.Infeasible(f"log2phy has shape {slots_of.shape}; give [layers, experts, replicas]")
    # Only the first `count` entries of an expert are slots; the rest of its row is padding.
    is_slot = np.arange(slots_of.shape[2]) < count[:, :, None]
    if is_slot.sum() < table.size:
        raise lb.Infeasible(
            f"log2phy has {slots_of.shape[2]} columns, but an expert has {count.max()} replicas; "
            "give a column for each replica"
        )
    layer, expert, _ = np.nonzero(is_slot)
    slot = slots_of[is_slot]
    if slot.min() < 0 or slot.max() >= table.shape[1] or (table[layer, slot] != expert).any():
        raise lb.Infeasible("log2phy names a slot that holds another expert in phy2log")
    if len(np.unique(layer * table.shape[1] + slot)) < table.size:
        raise lb.Infeasible("log2phy lists one slot twice and another slot never")


def _competition(
    entry: Callable[..., Any], problem: lb.Problem, loaded: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], list[int]]:
    layers, slots, ranks = problem.num_layers, problem.num_slots, problem.num_ranks
    if loaded is None:
        loaded = np.tile(start_up_row(problem.num_experts, slots), (layers, 1))
    hotness = problem.load.astype(np.int32)
    if (hotness != problem.load).any():
        raise ValueError("rebalance takes whole counts below 2^31; this load has other values")
    answer = entry(hotness, ranks, slots - problem.num_experts)
    if isinstance(answer, list):
        answer = tuple(answer)
    if isinstance(answer, tuple) and len(answer) == 4:
        change, priority, table, aux = answer
        table = integers(table, "table") if change else table
        answer = (bool(change), from_tensor(priority), table, aux)
    try:
        wanted, order = checked_answer(answer, lb.Placement(loaded, ranks))
    except ValueError as error:
        raise lb.Infeasible(str(error)) from None
    # The protocol loads the listed layers only; the others keep their experts.
    table_after = loaded.copy()
    table_after[order] = wanted[order]
    return table_after, order

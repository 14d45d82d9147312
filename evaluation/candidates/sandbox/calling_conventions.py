"""The forms in which strangers' programs are asked: each becomes a table of slots.

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
class Translated:
    """An entry of another form as a solver, in this process.

    Parameters
    ----------
    entry
        ``rebalance_experts`` or ``rebalance``.
    dialect
        "eplb" or "competition".
    tensors
        Whether it is given torch tensors.
    """

    entry: Callable[..., Any]
    dialect: str
    tensors: bool = False

    def __call__(self, problem: lb.Problem) -> lb.Placement:
        """Return the placement that the entry gives; errors as in :func:`slot_table`."""
        loaded = None if problem.current is None else problem.current.physical_to_logical
        table, _ = slot_table(self.entry, self.dialect, problem, loaded, self.tensors)
        return lb.Placement(table, problem.num_ranks)


def slot_table(
    entry: Callable[..., Any],
    dialect: str,
    problem: lb.Problem,
    loaded: NDArray[np.int64] | None,
    tensors: bool = False,
) -> tuple[NDArray[np.int64], list[int]]:
    """Ask an entry, and return what it puts where, and which layers it wants loaded first.

    Parameters
    ----------
    entry, dialect
        What is asked, and how.
    problem
        The problem; ``current`` is read for the dialect "problem" alone.
    loaded
        [layers, slots] what is loaded now, or ``None``.
    tensors
        Give "eplb" torch tensors.

    Returns
    -------
    tuple
        [layers, slots] the expert of each slot; and the layers to load in their order, of
        "competition" alone.

    Raises
    ------
    Infeasible
        If the answer has another form or another shape, or its maps disagree.
    ValueError
        If "competition" is asked about loads that are no counts.
    """
    if dialect == "problem":
        placement = entry(problem)
        if not isinstance(placement, lb.Placement):
            raise lb.Infeasible(
                f"the answer is a {type(placement).__name__}; a solver returns "
                "lb.Placement(physical_to_logical, num_ranks)"
            )
        return placement.physical_to_logical, []
    if dialect == "eplb":
        return _eplb(entry, problem, tensors), []
    return _competition(entry, problem, loaded)


def integers(values: Any, name: str) -> NDArray[np.int64]:
    """Return whole numbers, array or tensor, as int64.

    Raises
    ------
    Infeasible
        If they are ragged, not numbers, not finite or not whole.
    """
    try:
        found = np.asarray(from_tensor(values))
    except ValueError:
        raise lb.Infeasible(f"{name} is ragged; give an array of integers") from None
    if found.dtype.kind == "f":
        wrong = ~(np.isfinite(found) & (found == np.floor(found)))
        if wrong.any():
            value = found[wrong][0]
            raise lb.Infeasible(f"{name} holds {value}; ids of experts are whole numbers")
    elif found.dtype.kind not in "iu":
        raise lb.Infeasible(f"{name} has dtype {found.dtype}; give integers")
    return found.astype(np.int64)


def whole(load: NDArray[np.float64]) -> NDArray[Any]:
    """Return counts as int64 where all are whole, as ADRS hands them over; else as they are."""
    counts = load.astype(np.int64)
    return counts if (counts == load).all() else load


def _eplb(entry: Callable[..., Any], problem: lb.Problem, tensors: bool) -> NDArray[np.int64]:
    weight: Any = whole(problem.planned_load)
    if tensors:
        torch = importlib.import_module("torch")

        weight = torch.from_numpy(np.array(weight))
    sizes = problem.num_slots, problem.expert_groups, problem.num_nodes, problem.num_ranks
    answer = entry(weight, *sizes)
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
    """Refuse maps of which one claims what another one does not hold."""
    layers, experts = problem.num_layers, problem.num_experts
    offset = np.arange(layers)[:, None] * experts
    count = np.bincount((table + offset).ravel(), minlength=layers * experts)
    count = count.reshape(layers, experts)
    if replicas.shape != count.shape or (replicas != count).any():
        raise lb.Infeasible(
            "logcnt does not count what phy2log places; give replicas [layers, experts]"
        )
    if slots_of.ndim != 3 or slots_of.shape[:2] != (layers, experts):
        raise lb.Infeasible(f"log2phy has shape {slots_of.shape}; give [layers, experts, replicas]")
    named = np.arange(slots_of.shape[2]) < count[:, :, None]  # what lies beyond is not read
    if named.sum() < table.size:
        raise lb.Infeasible(
            f"log2phy has room for {slots_of.shape[2]} replicas of an expert, and one has "
            f"{count.max()}"
        )
    layer, expert, _ = np.nonzero(named)
    slot = slots_of[named]
    if slot.min() < 0 or slot.max() >= table.shape[1] or (table[layer, slot] != expert).any():
        raise lb.Infeasible("log2phy names a slot that holds another expert in phy2log")
    if len(np.unique(layer * table.shape[1] + slot)) < table.size:
        raise lb.Infeasible("log2phy names a slot twice, and another one never")


def _competition(
    entry: Callable[..., Any], problem: lb.Problem, loaded: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], list[int]]:
    layers, slots, ranks = problem.num_layers, problem.num_slots, problem.num_ranks
    if loaded is None:
        loaded = np.tile(start_up_row(problem.num_experts, slots), (layers, 1))
    hotness = problem.load.astype(np.int32)
    if (hotness != problem.load).any():
        raise ValueError("rebalance is given whole counts below 2^31, and this load has others")
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
    after = loaded.copy()
    after[order] = wanted[order]
    return after, order

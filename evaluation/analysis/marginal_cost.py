"""What each expert's old arrangement costs: the change if it alone were placed anew."""

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay.replay_window import ReplayWindow
from evaluation.step.executor import StepExecutor
from hardware import Operators
from lb.dispatch import slot_share

Array = NDArray[np.float64]


def marginal_cost_s(
    executor: StepExecutor,
    before: lb.Placement,
    after: lb.Placement,
    window: ReplayWindow,
    dispatcher: lb.Dispatcher,
) -> Array:
    """Return how much sooner each layer's slowest rank would finish, one expert at a time.

    For every step and expert, the tokens of the expert move from its slots in ``before`` to its
    slots in ``after``, with the shares of the dispatcher in each. All other experts stay. Only the
    two sums of a rank's roofline, memory and compute, change. The answer is therefore defined even
    if such a placement needs more slots than a rank has. Marginal costs do not add up: with two
    equally slow ranks, moving an expert off one of them gains nothing.

    Parameters
    ----------
    executor
        Whose operators price experts: their roofline, without jitter or measured tables.
    before, after
        Placements of the same layers, experts and ranks.
    window
        Its priced steps; each counts by its weight.
    dispatcher
        Splits the tokens of each expert over its replicas, step by step.

    Returns
    -------
    ndarray
        [layers, experts] mean seconds of an engine step. Positive where the new arrangement of
        this expert alone would help.
    """
    operators, held = executor.operators, before.slots_per_rank
    total = np.zeros((before.num_layers, before.num_experts))
    for step, of_mean in zip(window.counts, window.weight / window.weight.sum(), strict=True):
        load = step.astype(np.float64)
        memory, compute = _expert_seconds(operators, before, load, dispatcher)
        new_memory, new_compute = _expert_seconds(operators, after, load, dispatcher)
        memory_s = memory.sum(axis=1, keepdims=True)
        compute_s = compute.sum(axis=1, keepdims=True)
        slowest_s = operators.grouped_s(memory_s, compute_s, held).max(axis=2)
        # A rank that loses its last tokens would keep a rounding error as work.
        memory_s = np.maximum(memory_s + (new_memory - memory), 0.0)
        compute_s = np.maximum(compute_s + (new_compute - compute), 0.0)
        after_s = operators.grouped_s(memory_s, compute_s, held).max(axis=2)
        total += of_mean * (slowest_s - after_s)
    return total


def _expert_seconds(
    operators: Operators, placement: lb.Placement, load: Array, dispatcher: lb.Dispatcher
) -> tuple[Array, Array]:
    """[layers, experts, ranks] seconds of memory and of compute."""
    layers, experts, ranks = placement.num_layers, placement.num_experts, placement.num_ranks
    table = placement.physical_to_logical
    share = slot_share(placement, lb.check_share(placement, dispatcher(placement, load)))
    tokens = np.take_along_axis(load, table, axis=1) * share
    rank = np.arange(placement.num_slots) // placement.slots_per_rank
    cell = ((np.arange(layers)[:, None] * experts + table) * ranks + rank).ravel()
    sums: list[Array] = []
    for seconds in (operators.expert_memory_s(tokens), operators.expert_compute_s(tokens)):
        flat = np.bincount(cell, weights=seconds.ravel(), minlength=layers * experts * ranks)
        sums.append(np.asarray(flat.reshape(layers, experts, ranks), dtype=np.float64))
    return sums[0], sums[1]

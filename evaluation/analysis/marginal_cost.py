"""What one expert alone would change: its replicas as in another placement, all else as it is."""

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.step.executor import StepExecutor
from hardware import Operators
from lb.dispatch import slot_share

Array = NDArray[np.float64]


def marginal_s(
    executor: StepExecutor,
    before: lb.Placement,
    after: lb.Placement,
    counts: NDArray[np.int32],
    dispatcher: lb.Dispatcher,
) -> Array:
    """Return how much sooner each layer's hottest rank would be done, one expert at a time.

    For every step and expert, the expert's tokens leave the slots that ``before`` gives it and come
    to those of ``after``, with the shares that the dispatcher gives in each; every other expert
    stays. The two sums of a rank's roofline, memory and compute, are changed by just that, so that
    the answer is defined although such a placement may need more slots than a rank has. Marginal
    contributions do not add up: two experts on one hot rank may each be worth nothing alone.

    Parameters
    ----------
    executor
        Whose operators price experts: their roofline, without jitter or measured tables.
    before, after
        Placements of the same layers, experts and ranks.
    counts
        [steps, layers, experts] token copies.
    dispatcher
        Splits the tokens of an expert over its replicas, each step.

    Returns
    -------
    ndarray
        [layers, experts] mean seconds a step; positive where the expert's new arrangement alone
        would help.
    """
    operators = executor.operators
    total = np.zeros((before.num_layers, before.num_experts))
    for step in counts:
        load = step.astype(np.float64)
        memory, compute = _of_experts(operators, before, load, dispatcher)
        other_memory, other_compute = _of_experts(operators, after, load, dispatcher)
        memory_s = memory.sum(axis=1, keepdims=True)
        compute_s = compute.sum(axis=1, keepdims=True)
        hottest = operators.grouped_s(memory_s, compute_s).max(axis=2)
        # a rank that loses its last tokens keeps a rounding error, which is no work
        memory_s = np.maximum(memory_s + (other_memory - memory), 0.0)
        compute_s = np.maximum(compute_s + (other_compute - compute), 0.0)
        total += hottest - operators.grouped_s(memory_s, compute_s).max(axis=2)
    return total / len(counts)


def _of_experts(
    operators: Operators, placement: lb.Placement, load: Array, dispatcher: lb.Dispatcher
) -> tuple[Array, Array]:
    """[layers, experts, ranks] seconds of memory and of compute."""
    layers, experts, ranks = placement.num_layers, placement.num_experts, placement.num_ranks
    table = placement.physical_to_logical
    share = slot_share(placement, lb.check_share(placement, dispatcher(placement, load)))
    tokens = np.take_along_axis(load, table, axis=1) * share
    rank = np.arange(placement.num_slots) // placement.slots_per_rank
    cell = ((np.arange(layers)[:, None] * experts + table) * ranks + rank).ravel()
    found: list[Array] = []
    for seconds in (operators.expert_memory_s(tokens), operators.expert_compute_s(tokens)):
        flat = np.bincount(cell, weights=seconds.ravel(), minlength=layers * experts * ranks)
        found.append(np.asarray(flat.reshape(layers, experts, ranks), dtype=np.float64))
    return found[0], found[1]

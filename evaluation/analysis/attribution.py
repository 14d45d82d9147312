"""Step time under one placement, attributed to layers, phases, ranks and experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.step.exchange import Exchange, exchange
from evaluation.step.executor import StepExecutor
from hardware import Operators
from hardware.kernels import roofline
from lb.dispatch import slot_share

Array = NDArray[np.float64]
PHASES = ("attention", "dispatch", "experts", "combine")


@dataclass(frozen=True)
class Attribution:
    """Seconds of steps under one placement, and what caused them. Means are over the steps.

    Parameters
    ----------
    placement
        The placement.
    step_s
        [steps] seconds.
    phase_s
        [layers, phases of :data:`PHASES`] mean seconds. They add up to the mean of ``step_s``.
    rank_s
        [layers, ranks] mean seconds of the expert phase. Each step's phase is attributed to its
        slowest rank, for which combine waits (the first of equal ones). Ranks add up to the phase.
    expert_s
        [layers, experts] the same seconds, attributed to the experts of that rank in proportion to
        the roofline time of their kernels. Experts add up to the phase.
    rank_tokens, slot_tokens
        [layers, ranks] and [layers, slots] mean token copies.
    dispatch, combine
        The two all-to-alls, and the links that limit them.
    """

    placement: lb.Placement
    step_s: Array
    phase_s: Array
    rank_s: Array
    expert_s: Array
    rank_tokens: Array
    slot_tokens: Array
    dispatch: Exchange
    combine: Exchange

    @property
    def total_s(self) -> float:
        """Mean seconds of a step."""
        return float(self.phase_s.sum())

    @property
    def slowest_rank(self) -> NDArray[np.int64]:
        """[layers] rank to which most of the expert phase is attributed."""
        return np.asarray(self.rank_s.argmax(axis=1))

    def slowest_rank_load(self, layer: int) -> float:
        """Return the tokens of a layer's slowest rank over the mean rank; 1 is perfect balance."""
        tokens = self.rank_tokens[layer]
        mean = float(tokens.mean())
        return float(tokens[self.slowest_rank[layer]]) / mean if mean else 1.0


def attribute(
    executor: StepExecutor,
    placement: lb.Placement,
    counts: NDArray[np.int32],
    step_tokens: NDArray[np.int64],
    dispatcher: lb.Dispatcher,
) -> Attribution:
    """Price steps under a placement and attribute their seconds to layers, ranks and experts.

    Parameters
    ----------
    executor
        Prices a step.
    placement
        The placement.
    counts
        [steps, layers, experts] token copies.
    step_tokens
        [steps] tokens.
    dispatcher
        Splits the tokens of each expert over its replicas, step by step.

    Raises
    ------
    ValueError
        If shapes do not match, or a share of the dispatcher is not valid.
    """
    layers, ranks = placement.num_layers, placement.num_ranks
    phase_s = np.zeros((len(counts), layers, len(PHASES)))
    rank_s, expert_s = np.zeros((layers, ranks)), np.zeros((layers, placement.num_experts))
    rank_tokens, slot_tokens = [], np.zeros(placement.physical_to_logical.shape)
    for number, (step, tokens) in enumerate(zip(counts, step_tokens.tolist(), strict=True)):
        load = step.astype(np.float64)
        share = lb.check_share(placement, dispatcher(placement, load))
        time = executor.step(placement, load, share, tokens, number=number)
        phase_s[number] = np.stack([getattr(time, phase) for phase in PHASES], axis=1)
        tokens_of_slots = np.take_along_axis(load, placement.physical_to_logical, axis=1)
        tokens_of_slots *= slot_share(placement, share)
        _attribute_experts(
            executor.operators, placement, tokens_of_slots, time.rank_experts, rank_s, expert_s
        )
        rank_tokens.append(placement.rank_load(load, share))
        slot_tokens += tokens_of_slots
    of_ranks, steps = np.array(rank_tokens), len(counts)
    return Attribution(
        placement,
        phase_s.sum(axis=(1, 2)),
        phase_s.mean(axis=0),
        rank_s / steps,
        expert_s / steps,
        of_ranks.mean(axis=0),
        slot_tokens / steps,
        exchange(executor.collectives, of_ranks, "dispatch"),
        exchange(executor.collectives, of_ranks, "combine"),
    )


def _attribute_experts(
    operators: Operators,
    placement: lb.Placement,
    slot_tokens: Array,
    rank_experts: Array,
    rank_s: Array,
    expert_s: Array,
) -> None:
    """Add the expert phase of each layer to its slowest rank, and to the experts on that rank."""
    layers = np.arange(len(rank_experts))
    slowest = rank_experts.argmax(axis=1)
    seconds = rank_experts[layers, slowest]
    rank_s[layers, slowest] += seconds
    width = (len(layers), placement.num_ranks, placement.slots_per_rank)
    tokens = slot_tokens.reshape(width)[layers, slowest]
    kernel_s = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    total_s = kernel_s.sum(axis=1, keepdims=True)
    # A rank that stalls without tokens runs no kernel: its experts share the time evenly.
    even = np.full_like(kernel_s, 1 / width[2])
    part = np.divide(kernel_s, total_s, out=even, where=total_s > 0)
    experts = placement.physical_to_logical.reshape(width)[layers, slowest]
    np.add.at(expert_s, (layers[:, None], experts), part * seconds[:, None])

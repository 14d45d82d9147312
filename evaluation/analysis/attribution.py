"""Step time under one placement, attributed to layers, phases, ranks and experts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay.replay_window import ReplayWindow
from evaluation.step.exchange import Exchange, exchange
from evaluation.step.executor import StepExecutor
from hardware import Operators
from hardware.kernels import roofline
from lb.dispatch import slot_share

Array = NDArray[np.float64]
PHASES = ("attention", "dispatch", "experts", "combine")


@dataclass(frozen=True)
class Attribution:
    """Seconds of steps under one placement, and what caused them.

    Means are over the engine steps of a window: each priced step counts by its weight.

    Parameters
    ----------
    placement
        The placement.
    step_s
        [steps] seconds of each priced step.
    weight
        [steps] engine steps that each stands for.
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
    weight: Array
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
    window: ReplayWindow,
    dispatcher: lb.Dispatcher,
) -> Attribution:
    """Price a window under a placement; attribute its seconds to layers, ranks and experts.

    Parameters
    ----------
    executor
        Prices a step.
    placement
        The placement.
    window
        Its priced steps, each in its phase.
    dispatcher
        Splits the tokens of each expert over its replicas, step by step.

    Raises
    ------
    ValueError
        If shapes do not match, or a share of the dispatcher is not valid.
    """
    layers, ranks, counts = placement.num_layers, placement.num_ranks, window.counts
    part = window.weight / window.weight.sum()
    phases = window.phases or ("",) * len(counts)
    phase_s = np.zeros((len(counts), layers, len(PHASES)))
    rank_s, expert_s = np.zeros((layers, ranks)), np.zeros((layers, placement.num_experts))
    rank_tokens, slot_tokens = [], np.zeros(placement.physical_to_logical.shape)
    steps = zip(counts, window.tokens.tolist(), phases, part, strict=True)
    for number, (step, tokens, phase, of_mean) in enumerate(steps):
        load = step.astype(np.float64)
        share = lb.check_share(placement, dispatcher(placement, load))
        time = executor.in_phase(phase).step(placement, load, share, tokens, number=number)
        phase_s[number] = np.stack([getattr(time, name) for name in PHASES], axis=1)
        tokens_of_slots = np.take_along_axis(load, placement.physical_to_logical, axis=1)
        tokens_of_slots *= slot_share(placement, share)
        _attribute_experts(
            executor.operators,
            placement,
            tokens_of_slots,
            time.rank_experts,
            of_mean,
            (rank_s, expert_s),
        )
        rank_tokens.append(placement.rank_load(load, share))
        slot_tokens += of_mean * tokens_of_slots
    of_ranks = np.array(rank_tokens)
    return Attribution(
        placement,
        phase_s.sum(axis=(1, 2)),
        window.weight,
        np.average(phase_s, axis=0, weights=part),
        rank_s,
        expert_s,
        np.average(of_ranks, axis=0, weights=part),
        slot_tokens,
        exchange(executor.collectives, of_ranks, "dispatch", part),
        exchange(executor.collectives, of_ranks, "combine", part),
    )


def _attribute_experts(
    operators: Operators,
    placement: lb.Placement,
    slot_tokens: Array,
    rank_experts: Array,
    weight: float,
    accounts: tuple[Array, Array],
) -> None:
    """Add the expert phase of each layer to its slowest rank, and to the experts on that rank.

    ``accounts`` are seconds of ranks and seconds of experts; the step adds ``weight`` of its own.
    """
    rank_s, expert_s = accounts
    layers = np.arange(len(rank_experts))
    slowest = rank_experts.argmax(axis=1)
    seconds = weight * rank_experts[layers, slowest]
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

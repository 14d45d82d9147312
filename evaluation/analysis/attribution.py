"""Steps under one placement, with every second of them laid to a layer, a rank and an expert."""

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
    """What steps took under one placement, and for whom they waited. Means are over the steps.

    Parameters
    ----------
    placement
        Which.
    step_s
        [steps] seconds.
    phase_s
        [layers, phases of :data:`PHASES`] mean seconds; they add up to the mean of ``step_s``.
    rank_s
        [layers, ranks] mean seconds of the expert phase laid to the rank that combine waited for;
        over the ranks they add up to the phase. Of equal ranks the first is meant.
    expert_s
        [layers, experts] the same seconds laid to the experts of that rank, each in proportion to
        the roofline of its own kernel there; they add up to the phase, too.
    rank_tokens, slot_tokens
        [layers, ranks] and [layers, slots] mean token copies.
    dispatch, combine
        What holds up the two all-to-alls.
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
    def hot_rank(self) -> NDArray[np.int64]:
        """[layers] rank to which most of the expert phase is laid."""
        return np.asarray(self.rank_s.argmax(axis=1))

    def hot_load(self, layer: int) -> float:
        """Tokens of a layer's hot rank over the mean of the ranks; 1 is perfect balance."""
        tokens = self.rank_tokens[layer]
        mean = float(tokens.mean())
        return float(tokens[self.hot_rank[layer]]) / mean if mean else 1.0


def attribute(
    executor: StepExecutor,
    placement: lb.Placement,
    counts: NDArray[np.int32],
    step_tokens: NDArray[np.int64],
    dispatcher: lb.Dispatcher,
) -> Attribution:
    """Price steps under a placement and lay their seconds to layers, ranks and experts.

    Parameters
    ----------
    executor
        What a step costs.
    placement
        Where the experts are.
    counts
        [steps, layers, experts] token copies.
    step_tokens
        [steps] tokens.
    dispatcher
        Splits the tokens of an expert over its replicas, each step.

    Raises
    ------
    ValueError
        If shapes do not fit together, or a share of the dispatcher is not valid.
    """
    layers, ranks = placement.num_layers, placement.num_ranks
    phase_s = np.zeros((len(counts), layers, len(PHASES)))
    rank_s, expert_s = np.zeros((layers, ranks)), np.zeros((layers, placement.num_experts))
    rank_tokens, slot_tokens = [], np.zeros(placement.physical_to_logical.shape)
    for number, (step, tokens) in enumerate(zip(counts, step_tokens.tolist(), strict=True)):
        load = step.astype(np.float64)
        share = lb.check_share(placement, dispatcher(placement, load))
        taken = executor.step(placement, load, share, tokens, number=number)
        phase_s[number] = np.stack([getattr(taken, phase) for phase in PHASES], axis=1)
        of_slot = np.take_along_axis(load, placement.physical_to_logical, axis=1)
        of_slot *= slot_share(placement, share)
        _lay_out(executor.operators, placement, of_slot, taken.rank_experts, rank_s, expert_s)
        rank_tokens.append(placement.rank_load(load, share))
        slot_tokens += of_slot
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


def _lay_out(
    operators: Operators,
    placement: lb.Placement,
    slot_tokens: Array,
    rank_experts: Array,
    rank_s: Array,
    expert_s: Array,
) -> None:
    """Add the seconds of each layer's slowest rank to that rank, and to the experts on it."""
    layers = np.arange(len(rank_experts))
    hot = rank_experts.argmax(axis=1)
    seconds = rank_experts[layers, hot]
    rank_s[layers, hot] += seconds
    width = (len(layers), placement.num_ranks, placement.slots_per_rank)
    tokens = slot_tokens.reshape(width)[layers, hot]
    own = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    whole = own.sum(axis=1, keepdims=True)
    # a rank that stalls without tokens has no kernel: all its experts alike
    part = np.divide(own, whole, out=np.full_like(own, 1 / width[2]), where=whole > 0)
    experts = placement.physical_to_logical.reshape(width)[layers, hot]
    np.add.at(expert_s, (layers[:, None], experts), part * seconds[:, None])

"""Why a step takes longer under one placement than under another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.analysis.attribution import Attribution, attribute
from evaluation.analysis.marginal_cost import marginal_cost_s
from evaluation.analysis.train_judge_split import TrainJudgeSplit
from evaluation.step.executor import StepExecutor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """The difference in step time between two placements, and what causes it.

    All differences are AFTER minus BEFORE: negative is faster. Differences by layer and phase, by
    rank and by expert attribute the same seconds and add up; see :class:`Attribution`.

    Parameters
    ----------
    before, after
        The steps under each placement.
    marginal_cost_s
        [layers, experts] of :func:`evaluation.analysis.marginal_cost.marginal_cost_s`. They do not
        add up.
    moves
        [layers, ranks] expert weights that each rank receives on the way from BEFORE to AFTER.
    moved_bytes
        Bytes of all these weights.
    migration_s
        Seconds for which the engine pauses to move them.
    """

    before: Attribution
    after: Attribution
    marginal_cost_s: Array
    moves: NDArray[np.int64]
    moved_bytes: float
    migration_s: float

    @property
    def difference_s(self) -> float:
        """Mean seconds that a step takes longer under AFTER: the sum of :attr:`phase_s`."""
        return float(self.phase_s.sum())

    @property
    def change(self) -> float:
        """The difference as a fraction of the step under BEFORE; 0 if that takes no time."""
        total = self.before.total_s
        return self.difference_s / total if total else 0.0

    @property
    def phase_s(self) -> Array:
        """[layers, phases of :data:`evaluation.analysis.attribution.PHASES`] difference."""
        return self.after.phase_s - self.before.phase_s

    @property
    def layer_s(self) -> Array:
        """[layers] difference."""
        return np.asarray(self.phase_s.sum(axis=1))

    @property
    def rank_s(self) -> Array:
        """[ranks] difference of the seconds for which combine waits for each rank."""
        return np.asarray((self.after.rank_s - self.before.rank_s).sum(axis=0))

    @property
    def expert_s(self) -> Array:
        """[layers, experts] difference of the expert phase, attributed to experts."""
        return self.after.expert_s - self.before.expert_s

    @property
    def faster_steps(self) -> int:
        """Number of steps that are faster under AFTER."""
        return int((self.after.step_s < self.before.step_s).sum())

    @property
    def break_even_steps(self) -> float | None:
        """Engine steps after which the gain exceeds the migration; None if it never does."""
        gain = -self.difference_s
        return self.migration_s / gain if gain > 0 else None


def explain(
    executor: StepExecutor,
    before: lb.Placement,
    after: lb.Placement,
    split: TrainJudgeSplit,
    dispatcher: lb.Dispatcher | None = None,
    migration_bytes_per_s: float | None = None,
) -> Explanation:
    """Compare two placements on the steps after the first window.

    Parameters
    ----------
    executor
        Prices a step. Its fabric has as many ranks as the placements.
    before, after
        The placements. They may differ in slots per rank.
    split
        The trace, cut by :func:`evaluation.analysis.train_judge_split.split_trace`.
    dispatcher
        Splits the tokens of each expert over its replicas, step by step; by default evenly.
    migration_bytes_per_s
        Rate at which one rank receives weights; by default that of the fabric.

    Raises
    ------
    ValueError
        If the placements differ from the trace in layers or experts, or from the fabric in ranks.
    """
    for name, placement in (("BEFORE", before), ("AFTER", after)):
        _check_fits(name, placement, split, executor)
    dispatch = dispatcher or lb.make_dispatcher("even")
    _, counts, tokens = split
    moves = after.moves_from(before)
    rate = migration_bytes_per_s or executor.collectives.send_bytes_per_s()
    return Explanation(
        attribute(executor, before, counts, tokens, dispatch),
        attribute(executor, after, counts, tokens, dispatch),
        marginal_cost_s(executor, before, after, counts, dispatch),
        moves,
        float(moves.sum() * executor.expert_bytes),
        executor.migration_s(moves, rate),
    )


def _check_fits(
    name: str, placement: lb.Placement, split: TrainJudgeSplit, executor: StepExecutor
) -> None:
    layers, experts = split.train_load.shape
    ranks = executor.collectives.fabric.num_ranks
    for noun, count, expected, owner in (
        ("layers", placement.num_layers, layers, "trace"),
        ("experts", placement.num_experts, experts, "trace"),
        ("ranks", placement.num_ranks, ranks, "machine"),
    ):
        if count != expected:
            raise ValueError(
                f"{name} has {count} {noun}, the {owner} {expected}; give placements and a {owner} "
                "of one deployment"
            )

"""Why a step takes longer under one placement than under another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.analysis.attribution import Attribution, attribute
from evaluation.analysis.marginal_cost import marginal_cost_s
from evaluation.replay.replay_window import ReplayWindow
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
        """Number of priced steps that are faster under AFTER."""
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
    window: ReplayWindow,
    dispatcher: lb.Dispatcher | None = None,
    migration_bytes_per_s: float | None = None,
    migration_pause_s: float = 0.0,
) -> Explanation:
    """Compare two placements on a window.

    Parameters
    ----------
    executor
        Prices a step. Its fabric has as many ranks as the placements.
    before, after
        The placements. They may differ in slots per rank.
    window
        Its priced steps are compared. Placements are best made for the windows before it, see
        :func:`evaluation.replay.judged_window.judged_window`.
    dispatcher
        Splits the tokens of each expert over its replicas, step by step; by default evenly.
    migration_bytes_per_s
        Rate at which one rank receives weights; by default that of the fabric.
    migration_pause_s
        Seconds that a rebalance stops the engine besides, if weights move.

    Raises
    ------
    ValueError
        If the placements differ from the traffic in layers or experts, or from the fabric in ranks.
    """
    for name, placement in (("BEFORE", before), ("AFTER", after)):
        _check_fits(name, placement, window, executor)
    dispatch = dispatcher or lb.make_dispatcher("even")
    moves = after.moves_from(before)
    rate = migration_bytes_per_s or executor.collectives.send_bytes_per_s()
    return Explanation(
        attribute(executor, before, window, dispatch),
        attribute(executor, after, window, dispatch),
        marginal_cost_s(executor, before, after, window, dispatch),
        moves,
        float(moves.sum() * executor.expert_bytes),
        executor.migration_s(moves, rate) + migration_pause_s * bool(moves.any()),
    )


def _check_fits(
    name: str, placement: lb.Placement, window: ReplayWindow, executor: StepExecutor
) -> None:
    layers, experts = window.load.shape
    ranks = executor.collectives.fabric.num_ranks
    for noun, count, expected, owner in (
        ("layers", placement.num_layers, layers, "traffic"),
        ("experts", placement.num_experts, experts, "traffic"),
        ("ranks", placement.num_ranks, ranks, "machine"),
    ):
        if count != expected:
            raise ValueError(
                f"{name} has {count} {noun}, the {owner} {expected}; give placements and "
                f"{owner} of one deployment"
            )

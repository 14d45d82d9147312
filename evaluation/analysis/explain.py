"""Why a step takes longer under one placement than under another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.analysis.attribution import Attribution, attribute
from evaluation.analysis.marginal_cost import marginal_s
from evaluation.analysis.train_judge_split import Observed
from evaluation.step.executor import StepExecutor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Explanation:
    """The difference in step time between two placements, and who accounts for it.

    All differences are AFTER less BEFORE: negative is faster. Those by layer and phase, by rank
    and by expert are accounts of the same seconds and add up; see :class:`Attribution`.

    Parameters
    ----------
    before, after
        The steps under each placement.
    marginal_s
        [layers, experts] as :func:`evaluation.analysis.marginal_cost.marginal_s` gives it; does
        not add up.
    moves
        [layers, ranks] expert weights that each rank receives on the way from BEFORE to AFTER.
    moved_bytes
        Bytes of all of them.
    migration_s
        Seconds in which the step loop stands still for them.
    """

    before: Attribution
    after: Attribution
    marginal_s: Array
    moves: NDArray[np.int64]
    moved_bytes: float
    migration_s: float

    @property
    def difference_s(self) -> float:
        """Mean seconds that a step takes longer under AFTER; adds up :attr:`phase_s`."""
        return float(self.phase_s.sum())

    @property
    def change(self) -> float:
        """The difference as a fraction of the step under BEFORE; 0 where that takes no time."""
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
        """[ranks] difference of the seconds in which combine waits for each rank's experts."""
        return np.asarray((self.after.rank_s - self.before.rank_s).sum(axis=0))

    @property
    def expert_s(self) -> Array:
        """[layers, experts] difference of the expert phase, laid to experts."""
        return self.after.expert_s - self.before.expert_s

    @property
    def faster_steps(self) -> int:
        """Steps that AFTER ends sooner."""
        return int((self.after.step_s < self.before.step_s).sum())

    @property
    def break_even_steps(self) -> float | None:
        """Engine steps after which the gain has paid the migration; None: never."""
        gain = -self.difference_s
        return self.migration_s / gain if gain > 0 else None


def explain(
    executor: StepExecutor,
    before: lb.Placement,
    after: lb.Placement,
    observed: Observed,
    dispatcher: lb.Dispatcher | None = None,
    migration_bytes_per_s: float | None = None,
) -> Explanation:
    """Compare two placements on the steps after the first window.

    Parameters
    ----------
    executor
        What a step costs; its fabric has the ranks of the placements.
    before, after
        The placements; their slots may differ in number.
    observed
        The trace, cut by :func:`evaluation.analysis.train_judge_split.observe`.
    dispatcher
        Splits the tokens of an expert over its replicas, each step; by default evenly.
    migration_bytes_per_s
        Rate at which one rank receives weights; by default the fabric's.

    Raises
    ------
    ValueError
        If the placements differ from the trace in layers or experts, or from the fabric in ranks.
    """
    for name, placement in (("BEFORE", before), ("AFTER", after)):
        _check_fits(name, placement, observed, executor)
    split = dispatcher or lb.make_dispatcher("even")
    _, counts, tokens = observed
    moves = after.moves_from(before)
    rate = migration_bytes_per_s or executor.collectives.send_bytes_per_s()
    return Explanation(
        attribute(executor, before, counts, tokens, split),
        attribute(executor, after, counts, tokens, split),
        marginal_s(executor, before, after, counts, split),
        moves,
        float(moves.sum() * executor.expert_bytes),
        executor.migration_s(moves, rate),
    )


def _check_fits(
    name: str, placement: lb.Placement, observed: Observed, executor: StepExecutor
) -> None:
    layers, experts = observed.seen.shape
    for what, has, needs, whose in (
        ("layers", placement.num_layers, layers, "trace"),
        ("experts", placement.num_experts, experts, "trace"),
        ("ranks", placement.num_ranks, executor.collectives.fabric.num_ranks, "machine"),
    ):
        if has != needs:
            raise ValueError(
                f"{name} has {has} {what}, the {whose} {needs}; give placements and a {whose} of "
                "one deployment"
            )

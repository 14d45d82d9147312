"""The log of a replay: what every step, window and rebalance took."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.step.step_time import StepTime

#: Phases of a step whose seconds a replay adds up. "waits" is what the mean rank waits at both
#: barriers of a layer.
PHASES = ("attention", "dispatch", "experts", "combine", "waits")


@dataclass
class ReplayLog:
    """What happened in a replay, in the order in which it happened.

    All times are simulated seconds, except ``solve_s`` and ``reference_s``, which a clock measured.

    Parameters
    ----------
    step_s, ideal_s, wait_s, tokens
        One number per priced step, times the engine steps that it stands for.
    expert_balance, engine_steps
        One number per priced step: its balance in seconds, and how many engine steps it stands for.
    first_steps
        Number of the first priced step of each scored window.
    following, following_bound
        One array [layers] per scored window: the balancedness, and its upper bound.
    rebalanced
        Number of the scored window before which each rebalance took place.
    migration_s, moves, solve_s, reference_s
        One number per rebalance.
    fitted, fitted_bound
        One array [layers] per rebalance: the balancedness on the last window that the solver saw,
        and its upper bound.
    slots
        Slots of all placements that were loaded, summed over the rebalances.
    phase_s
        Seconds of each of ``PHASES``, summed over the steps.
    rank_load, last_steps
        [layers, ranks] tokens of the last window, and its steps.
    """

    step_s: list[float] = field(default_factory=list)
    ideal_s: list[float] = field(default_factory=list)
    wait_s: list[float] = field(default_factory=list)
    expert_balance: list[float] = field(default_factory=list)
    engine_steps: list[float] = field(default_factory=list)
    first_steps: list[int] = field(default_factory=list)
    tokens: list[float] = field(default_factory=list)
    migration_s: list[float] = field(default_factory=list)
    moves: list[int] = field(default_factory=list)
    slots: int = 0
    solve_s: list[float] = field(default_factory=list)
    reference_s: list[float] = field(default_factory=list)
    fitted: list[NDArray[np.float64]] = field(default_factory=list)
    fitted_bound: list[NDArray[np.float64]] = field(default_factory=list)
    following: list[NDArray[np.float64]] = field(default_factory=list)
    following_bound: list[NDArray[np.float64]] = field(default_factory=list)
    rebalanced: list[int] = field(default_factory=list)
    phase_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    rank_load: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    last_steps: int = 0

    def window_sums(self, values: list[float]) -> list[float]:
        """Return the sum over the steps of each scored window of one number per step."""
        return [float(total) for total in np.add.reduceat(values, self.first_steps)]

    def add_steps(
        self,
        steps: StepTime,
        ideal_s: NDArray[np.float64],
        tokens: NDArray[np.int64],
        weight: NDArray[np.float64],
    ) -> None:
        """Add priced steps, each of which stands for ``weight`` steps of the engine.

        Parameters
        ----------
        steps
            Seconds of each, with a leading axis of steps.
        ideal_s
            [steps] seconds under perfect balance.
        tokens
            [steps] tokens.
        weight
            [steps] engine steps that each stands for.
        """
        waits = steps.attention_wait.mean(axis=-1) + steps.expert_wait.mean(axis=-1)
        experts_mean, experts_max = steps.rank_experts.mean(axis=-1), steps.experts
        # The phases of the mean rank and its waits add up to the whole step.
        seconds = {
            "attention": steps.rank_attention.mean(axis=-1),
            "dispatch": steps.dispatch,
            "experts": experts_mean,
            "combine": steps.combine,
            "waits": waits,
        }
        for phase, of_layers in seconds.items():
            for step_s in (of_layers.sum(axis=-1) * weight).tolist():
                self.phase_s[phase] += step_s
        self.step_s += (steps.totals * weight).tolist()
        self.ideal_s += (ideal_s * weight).tolist()
        self.wait_s += (waits.sum(axis=-1) * weight).tolist()
        self.tokens += (tokens * weight).tolist()
        self.engine_steps += weight.tolist()
        # A layer without expert work counts as balanced.
        balance = np.divide(
            experts_mean, experts_max, out=np.ones_like(experts_mean), where=experts_max > 0
        )
        self.expert_balance += balance.mean(axis=-1).tolist()

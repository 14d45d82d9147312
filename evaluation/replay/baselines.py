"""What needs no balancing, and what no balancer can beat: the scale on which scores are read."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.ideal_reference import IdealReference
from evaluation.replay.replay import replay_windows
from evaluation.replay.replay_log import ReplayLog
from evaluation.replay.replay_window import ReplayWindow
from evaluation.step.executor import StepExecutor
from schedulers.rebalance import Interval, RebalancePolicy, never

#: The solver of the hindsight placement.
HINDSIGHT_SOLVER = "local-search"
#: Below this difference of efficiency there is nothing to capture.
LEAST_GAIN = 1e-3


@dataclass(frozen=True)
class Baselines:
    """Efficiency of two baselines and of a ceiling on one traffic; perfect balance has 1.

    Parameters
    ----------
    do_nothing
        The placement stays the one that the engine starts with.
    random_replicas
        One random placement with as many replicas, loaded before the first scored window. The
        solver ``random`` answers it again before later windows, so that nothing moves then.
    hindsight
        Each window under a placement that :data:`HINDSIGHT_SOLVER` made for this very window, and
        that was loaded at no cost. Where the scenario limits moves, it has the same limit.
    hindsight_windows
        [scored windows] the same by window.
    """

    do_nothing: float
    random_replicas: float
    hindsight: float
    hindsight_windows: tuple[float, ...]

    def captured(self, efficiency: float) -> float | None:
        """Return the part that a solver gets of what lies between doing nothing and hindsight.

        Below 0 a solver is worse than doing nothing. Above 1 it is better than the hindsight of
        :data:`HINDSIGHT_SOLVER`, which is no bound. ``None`` if there is less than
        :data:`LEAST_GAIN` to get.
        """
        gain = self.hindsight - self.do_nothing
        return (efficiency - self.do_nothing) / gain if gain >= LEAST_GAIN else None

    def scores(self, efficiency: float) -> dict[str, float | None]:
        """Return the scores of a record in which a solver reached ``efficiency``."""
        return {
            "captured": self.captured(efficiency),
            "do_nothing": self.do_nothing,
            "random_replicas": self.random_replicas,
            "hindsight": self.hindsight,
        }


def baselines(
    windows: Iterable[ReplayWindow],
    executor: StepExecutor,
    deployment: ExpertDeployment,
    scored_from: int,
    ideal_reference: IdealReference,
) -> Baselines:
    """Replay windows under both baselines and in hindsight.

    Parameters are those of :func:`evaluation.replay.replay.replay_windows`.
    """
    every = list(windows)

    def log(
        windows: list[ReplayWindow],
        rules: ExpertDeployment,
        solver: str,
        policy: RebalancePolicy,
        reference: IdealReference = ideal_reference,
    ) -> ReplayLog:
        return replay_windows(
            windows,
            executor,
            rules,
            lb.make(solver),
            policy=policy,
            scored_from=scored_from,
            ideal_reference=reference,
        )

    def once(number: int, load: NDArray[np.int64], placement: lb.Placement) -> bool:
        return number == scored_from

    # `random` would answer the same again, and move what a limit of moves left
    whole = once if deployment.max_moves is None else Interval(1)
    known = replace(
        deployment,
        history_windows=1,
        forecaster="last",
        migration_bytes_per_s=math.inf,
        migration_pause_s=0.0,
    )
    hindsight = log(
        _known_before(every),
        known,
        HINDSIGHT_SOLVER,
        Interval(1),
        ideal_reference.with_other_observed(),
    )
    ideal_s, step_s = (
        hindsight.window_sums(seconds) for seconds in (hindsight.ideal_s, hindsight.step_s)
    )
    return Baselines(
        efficiency(log(every, deployment, "contiguous", never)),
        efficiency(log(every, deployment, "random", whole)),
        efficiency(hindsight),
        tuple(np.divide(ideal_s, step_s).tolist()),
    )


def efficiency(log: ReplayLog) -> float:
    """Return time under perfect balance over time taken, migration included."""
    return float(np.sum(log.ideal_s)) / float(np.sum(log.step_s) + np.sum(log.migration_s))


def _known_before(windows: list[ReplayWindow]) -> list[ReplayWindow]:
    """Return windows before each of which the solver has just seen the load to come."""
    following = [*windows[1:], windows[-1]]
    return [
        replace(window, observed=after.load)
        for window, after in zip(windows, following, strict=True)
    ]

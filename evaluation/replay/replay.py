"""Replay a trace or a workload through a solver, window by window, with migration charged."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay.advice import advice_for, problem_of
from evaluation.replay.candidate_call import candidate_call
from evaluation.replay.cost import reference_s
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.ideal_reference import IdealReference
from evaluation.replay.move_budget import apply_move_budget
from evaluation.replay.price_steps import ideal_step_s, price_steps
from evaluation.replay.prices import seconds_per_token
from evaluation.replay.replay_log import ReplayLog
from evaluation.replay.replay_window import ReplayWindow, trace_replay_windows
from evaluation.step.executor import StepExecutor
from schedulers.rebalance import Interval, RebalancePolicy


def replay(
    trace: Any,
    executor: StepExecutor,
    deployment: ExpertDeployment,
    solver: lb.Solver,
    dispatcher: lb.Dispatcher | None = None,
    *,
    policy: RebalancePolicy | None = None,
    scored_from: int = 1,
    ideal_reference: IdealReference | None = None,
) -> ReplayLog:
    """Run ``trace`` from its start under the placements of ``solver``.

    Every recorded step is priced, and is one step of the engine.
    Parameters, errors and rules are those of :func:`replay_windows`.

    Parameters
    ----------
    trace
        Any object with ``blocks()`` of routing counts: a trace in memory or on disk. An incomplete
        last window is left out.
    """
    return replay_windows(
        trace_replay_windows(trace, deployment.window_steps),
        executor,
        deployment,
        solver,
        dispatcher,
        policy=policy,
        scored_from=scored_from,
        ideal_reference=ideal_reference,
    )


def replay_windows(
    windows: Iterable[ReplayWindow],
    executor: StepExecutor,
    deployment: ExpertDeployment,
    solver: lb.Solver,
    dispatcher: lb.Dispatcher | None = None,
    *,
    policy: RebalancePolicy | None = None,
    scored_from: int = 1,
    ideal_reference: IdealReference | None = None,
) -> ReplayLog:
    """Run consecutive windows from the first one under the placements of ``solver``.

    The engine starts with the experts in the order of their ids. The first windows are observed,
    but not scored: they are the same for every solver. After each window the policy decides
    whether the solver is called. The solver sees the windows that have ended, the loaded placement,
    the dispatcher and the price of a move, and nothing else. A solver that makes no forecast plans
    for the forecast of the deployment's forecaster.

    Parameters
    ----------
    windows
        In order of time.
    executor, deployment
        Price of a step, and where the experts run.
    solver, dispatcher, policy
        By default the dispatcher of the deployment, and a rebalance after every window.
    scored_from
        First window that is scored. The solver is first called before it.
    ideal_reference
        Cache of ideal times from earlier replays of the same windows and executor. The
        replay adds to it.

    Raises
    ------
    ValueError
        If there is no window to score, or an answer of the solver or the dispatcher is
        invalid. An error of the solver itself is not caught.
    """
    run = _Run(
        executor,
        deployment,
        solver,
        dispatcher or lb.configured(deployment.dispatcher, deployment.ranks_per_node),
        IdealReference() if ideal_reference is None else ideal_reference,
    )
    due = policy or Interval(1)
    history: deque[NDArray[np.int64]] = deque(maxlen=deployment.history_windows)
    last_steps = 0
    placement: lb.Placement | None = None
    for number, window in enumerate(windows):
        if placement is None:
            placement = lb.solve(problem_of(deployment, window.observed[None]), "contiguous")
        if number >= scored_from:
            # Causal: the solver is called before this window's load joins the history.
            seen = np.stack(history)
            if due(number, seen, placement):
                placement = run.rebalance(number, seen, last_steps, placement)
            run.run_window(number, placement, window)
            run.score_window(number, placement, window)
        history.append(window.observed)
        last_steps = window.num_steps
    if not run.log.step_s:
        steps = f" of {deployment.window_steps} steps" if deployment.window_steps else ""
        raise ValueError(
            f"the traffic has fewer than {scored_from + 1} windows{steps}; {scored_from} observed "
            "and the next one judged: give shorter windows or longer traffic"
        )
    return run.log


@dataclass(frozen=True)
class _Run:
    """The parts of one replay, and its log."""

    executor: StepExecutor
    deployment: ExpertDeployment
    solver: lb.Solver
    dispatcher: lb.Dispatcher
    ideal_reference: IdealReference
    log: ReplayLog = field(default_factory=ReplayLog)

    def rebalance(
        self, window: int, history: NDArray[np.int64], last_steps: int, before: lb.Placement
    ) -> lb.Placement:
        """Call the solver before ``window``, and return the placement that is loaded."""
        deployment, log = self.deployment, self.log
        placement = self._solve(window, history, last_steps, before)
        problem_of(deployment, history[-1:]).check(placement)
        if deployment.max_moves is not None:
            placement = apply_move_budget(placement, before, history[-1], deployment.max_moves)
        moves = placement.moves_from(before)
        log.rebalanced.append(len(log.following))
        log.moves.append(int(moves.sum()))
        log.slots += placement.physical_to_logical.size
        transfer_s = self.executor.migration_s(moves, deployment.migration_bytes_per_s)
        log.migration_s.append(transfer_s + self._pause_s(placement) * bool(moves.any()))
        last = history[-1].astype(np.float64)
        log.fitted.append(placement.balancedness(last, self._share(placement, last)))
        ranks, slots = deployment.num_ranks, deployment.slots_per_rank
        bound = self.ideal_reference.observed_bound(window - 1, history[-1], ranks, slots)
        log.fitted_bound.append(bound)
        return placement

    def _pause_s(self, placement: lb.Placement) -> float:
        """Return the stop of a rebalance: as large a part of it as of the layers is priced."""
        part = placement.num_layers / self.executor.operators.model.moe_layers
        return self.deployment.migration_pause_s * part

    def _solve(
        self, window: int, history: NDArray[np.int64], last_steps: int, before: lb.Placement
    ) -> lb.Placement:
        """Return the solver's answer, and log how long it and the reference sort took."""
        executor = self.executor

        def token_price() -> float:
            return seconds_per_token(executor, history[-1] / last_steps, before.num_ranks)

        advice = advice_for(
            self.solver,
            self.deployment,
            history,
            last_steps,
            executor,
            self.ideal_reference.token_price(window - 1, token_price),
        )
        # The solver gets a copy of the loaded placement, so that a solver that writes into its
        # problem changes nothing that is judged.
        loaded = lb.Placement(before.physical_to_logical, before.num_ranks)
        problem = problem_of(self.deployment, history, current=loaded, **advice)
        self.log.reference_s.append(reference_s(problem.planned_load))
        started = time.perf_counter()
        with candidate_call():
            answer = lb.solve(problem, self.solver)
            self.log.solve_s.append(time.perf_counter() - started)
            # Only the slot map counts: a subclass of Placement might claim a balance of its own.
            return lb.Placement(answer.physical_to_logical, answer.num_ranks)

    def run_window(self, number: int, placement: lb.Placement, window: ReplayWindow) -> None:
        """Price the steps of window ``number`` under ``placement``."""
        first = len(self.log.step_s)
        self.log.first_steps.append(first)
        load = window.counts.astype(np.float64)
        steps = price_steps(
            self.executor, placement, load, self._shares(placement, load), window, first
        )

        def ideal_s() -> NDArray[np.float64]:
            return ideal_step_s(self.executor, placement.num_ranks, load, window)

        ideal = self.ideal_reference.ideal_s(number, ideal_s)
        self.log.add_steps(steps, ideal, window.tokens, window.weight)

    def score_window(self, number: int, placement: lb.Placement, window: ReplayWindow) -> None:
        """Log balancedness, bound and rank load of a whole window."""
        load = window.load
        share = self._share(placement, load.astype(np.float64))
        self.log.following.append(placement.balancedness(load, share))
        ranks, slots = self.deployment.num_ranks, self.deployment.slots_per_rank
        bound = self.ideal_reference.bound(number, load, ranks, slots)
        self.log.following_bound.append(bound)
        self.log.rank_load = placement.rank_load(load, share)
        self.log.last_steps = window.num_steps

    def _share(self, placement: lb.Placement, load: NDArray[np.float64]) -> NDArray[np.float64]:
        return lb.check_share(placement, self.dispatcher(placement, load))

    def _shares(
        self, placement: lb.Placement, load: NDArray[np.float64]
    ) -> list[NDArray[np.float64]]:
        """Return the share of each step."""
        return [self._share(placement, step) for step in load]

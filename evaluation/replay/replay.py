"""Replay a trace through a solver: causal, window by window, with migration charged."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.replay import prices
from evaluation.replay.cost import reference_s
from evaluation.replay.ideal_reference import Yardstick
from evaluation.replay.move_budget import limited
from evaluation.step.executor import StepExecutor
from lb.solve import forecasts, honours
from schedulers.rebalance import Interval, RebalancePolicy

#: Parts of a step that a replay adds up; waits are those of the mean rank at both barriers.
PHASES = ("attention", "dispatch", "experts", "combine", "waits")


@dataclass(frozen=True)
class Deployment:
    """What the experts run on, and how often they may be rearranged.

    Parameters
    ----------
    num_ranks, slots_per_rank
        Ranks of the EP group and expert slots of each, in one layer.
    ranks_per_node, expert_groups
        As in :class:`lb.Problem`.
    window_steps
        Recorded steps that are observed together; the policy is asked after each window.
    history_windows
        Windows that the solver is shown.
    hold_steps
        Engine steps that each recorded step stands for.
    migration_bytes_per_s
        Rate at which one rank receives weights while the engine stands still.
    dispatcher
        Name of the dispatcher in use, which solvers are told.
    forecaster
        Name of the one whose forecast is brought to solvers that make no guess of their own.
    objective
        "tokens", or "seconds": solvers are told what an expert's tokens cost.
    max_moves
        Expert weights that ranks may receive in one rebalance, over all layers. Solvers that honour
        it are told; of the answers of others, layers are loaded as far as it goes
        (:func:`evaluation.replay.move_budget.limited`).
    """

    num_ranks: int
    slots_per_rank: int
    window_steps: int
    migration_bytes_per_s: float
    ranks_per_node: int | None = None
    expert_groups: int = 1
    history_windows: int = 1
    hold_steps: int = 1
    dispatcher: str = "even"
    forecaster: str = "last"
    objective: str = "tokens"
    max_moves: int | None = None


@dataclass
class Replayed:
    """What happened, in the order it happened.

    Times are simulated seconds, but for what solver and reference routine took, ``solve_s`` and
    ``reference_s``. A number a step: ``step_s``, ``ideal_s``, ``wait_s``, ``expert_balance``,
    ``tokens``. A number, or an array [layers], a scored window: ``following``, ``following_bound``.
    The same a rebalance:
    ``rebalanced`` (scored window before which it came), ``migration_s``, ``moves``, ``solve_s``,
    ``reference_s``, ``fitted``, ``fitted_bound``. ``phase_s`` adds up the steps; ``rank_load``
    [layers, ranks] is that of the last window.
    """

    step_s: list[float] = field(default_factory=list)
    ideal_s: list[float] = field(default_factory=list)
    wait_s: list[float] = field(default_factory=list)
    expert_balance: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
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


def replay(
    trace: Any,
    executor: StepExecutor,
    deployment: Deployment,
    solver: lb.Solver,
    dispatcher: lb.Dispatcher | None = None,
    policy: RebalancePolicy | None = None,
    scored_from: int = 1,
    yardstick: Yardstick | None = None,
) -> Replayed:
    """Run ``trace`` from its start under the placements that ``solver`` gives.

    The engine starts with experts in the order of their ids. The first windows are only observed:
    they are the same for every solver and not scored. After each window the policy may ask the
    solver, which sees the windows that have ended, what is loaded now, the dispatcher in use and
    the price of a move, and nothing else; a solver that does not forecast for itself plans for the
    forecaster's guess. An incomplete last window is left out.

    Parameters
    ----------
    trace
        Anything with ``blocks()`` of routing counts: a trace in memory or on disk.
    executor, deployment
        What a step costs, and where it runs.
    solver, dispatcher, policy
        By default the deployment's dispatcher and a rebalance after every window.
    scored_from
        First window that is scored, and before which the solver is first asked.
    yardstick
        What earlier replays of the same trace, executor and windows worked out; filled further.

    Raises
    ------
    ValueError
        If the trace has no window to score, or an answer of the solver or the dispatcher is
        not valid. Whatever the solver itself raises goes through.
    """
    split = dispatcher or lb.configured(deployment.dispatcher, deployment.ranks_per_node)
    due = policy or Interval(1)
    size = deployment.num_ranks, deployment.slots_per_rank
    known = Yardstick() if yardstick is None else yardstick
    result = Replayed()
    seen: deque[NDArray[np.int64]] = deque(maxlen=deployment.history_windows)
    placement: lb.Placement | None = None
    for number, (counts, tokens) in enumerate(_windows(trace, deployment.window_steps)):
        load = counts.sum(axis=0, dtype=np.int64)
        if placement is None:
            placement = lb.solve(_problem(deployment, load[None]), "contiguous")
        if number >= scored_from:
            history = np.stack(seen)
            if due(number, history, placement):
                placement = _rebalance(
                    deployment, history, placement, solver, split, executor, result
                )
                result.fitted_bound.append(known.bound(number - 1, history[-1], *size))
            _run_window(executor, deployment, placement, split, counts, tokens, result, known)
            _score_window(placement, split, load, result)
            result.following_bound.append(known.bound(number, load, *size))
        seen.append(load)
    if not result.step_s:
        raise ValueError(
            f"the trace has fewer than {scored_from + 1} windows of {deployment.window_steps} "
            f"steps; {scored_from} observed and the next one judged: give a smaller window_steps "
            "or a longer trace"
        )
    return result


def _windows(trace: Any, size: int) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
    """Yield counts [steps, layers, experts] and tokens [steps] of each complete window."""
    if size < 1:
        raise ValueError(f"window_steps = {size} < 1; a window has at least one step")
    counts: list[NDArray[np.int32]] = []
    tokens: list[int] = []
    for block in trace.blocks():
        for step in range(block.num_steps):
            counts.append(block.counts[step])
            tokens.append(int(block.step_tokens[step]))
            if len(counts) == size:
                yield np.stack(counts), np.array(tokens)
                counts, tokens = [], []


def window_at(
    trace: Any, window_steps: int, step: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """Return the first window's load, and counts and tokens of one step after it.

    Parameters
    ----------
    trace
        As in :func:`replay`.
    window_steps
        Steps of the window.
    step
        Which step after the window, from 0.

    Raises
    ------
    ValueError
        If the trace ends before that step.
    """
    first: NDArray[np.int64] | None = None
    passed = 0
    for counts, tokens in _windows(trace, window_steps):
        if first is None:
            first = counts.sum(axis=0, dtype=np.int64)
        elif step < passed + len(counts):
            return first, counts[step - passed], int(tokens[step - passed])
        else:
            passed += len(counts)
    raise ValueError(f"step = {step} breaks step < {passed}, the steps after the first window")


def _problem(deployment: Deployment, load: NDArray[np.int64], **advice: Any) -> lb.Problem:
    return lb.Problem(
        load,
        deployment.num_ranks,
        deployment.slots_per_rank,
        ranks_per_node=deployment.ranks_per_node,
        expert_groups=deployment.expert_groups,
        dispatcher=deployment.dispatcher,
        **advice,
    )


def _advice(
    deployment: Deployment,
    history: NDArray[np.int64],
    solver: lb.Solver,
    executor: StepExecutor,
) -> dict[str, Any]:
    """Return what a solver is told beside load and placement."""
    ranks, hold = deployment.num_ranks, deployment.hold_steps
    last = history[-1] / deployment.window_steps
    rate, objective = deployment.migration_bytes_per_s, deployment.objective
    advice: dict[str, Any] = {
        "move_price": prices.move_price(executor, last, ranks, rate, hold, objective)
    }
    if objective == "seconds":
        most = float(history.max())
        operators = executor.operators
        advice["expert_cost"] = prices.expert_cost(operators, deployment.window_steps, most)
    if not forecasts(solver):
        guess = lb.make_forecaster(deployment.forecaster)
        advice["forecast"] = guess(history.astype(np.float64))
    return advice


def _rebalance(
    deployment: Deployment,
    history: NDArray[np.int64],
    before: lb.Placement,
    solver: lb.Solver,
    dispatcher: lb.Dispatcher,
    executor: StepExecutor,
    result: Replayed,
) -> lb.Placement:
    advice = _advice(deployment, history, solver, executor)
    # a copy: what a solver does to the problem it was given changes nothing that is judged
    shown = lb.Placement(before.physical_to_logical, before.num_ranks)
    if "max_moves" in honours(solver):
        advice["max_moves"] = deployment.max_moves
    problem = _problem(deployment, history, current=shown, **advice)
    result.reference_s.append(reference_s(problem.planned_load))
    started = time.perf_counter()
    answer = lb.solve(problem, solver)
    result.solve_s.append(time.perf_counter() - started)
    # and an answer is the map alone, whatever else its class may claim
    placement = lb.Placement(answer.physical_to_logical, answer.num_ranks)
    _problem(deployment, history[-1:]).check(placement)
    if deployment.max_moves is not None:
        placement = limited(placement, before, history[-1], deployment.max_moves)
    result.rebalanced.append(len(result.following))
    moves = placement.moves_from(before)
    result.moves.append(int(moves.sum()))
    result.slots += placement.physical_to_logical.size
    result.migration_s.append(executor.migration_s(moves, deployment.migration_bytes_per_s))
    last = history[-1].astype(np.float64)
    share = lb.check_share(placement, dispatcher(placement, last))
    result.fitted.append(placement.balancedness(last, share))
    return placement


def _run_window(
    executor: StepExecutor,
    deployment: Deployment,
    placement: lb.Placement,
    dispatcher: lb.Dispatcher,
    counts: NDArray[np.int32],
    tokens: NDArray[np.int64],
    result: Replayed,
    known: Yardstick,
) -> None:
    hold = deployment.hold_steps
    for step, step_tokens in zip(counts, tokens.tolist(), strict=True):
        load = step.astype(np.float64)
        share = lb.check_share(placement, dispatcher(placement, load))
        taken = executor.step(placement, load, share, step_tokens, number=len(result.step_s))
        ideal_s = known.ideal_s(
            len(result.step_s), executor, load, placement.num_ranks, step_tokens
        )
        result.step_s.append(taken.total * hold)
        result.ideal_s.append(ideal_s * hold)
        waits = taken.attention_wait.mean(axis=1) + taken.expert_wait.mean(axis=1)
        result.wait_s.append(float(waits.sum()) * hold)
        slowest = taken.experts
        mean = taken.rank_experts.mean(axis=1)
        result.phase_s["attention"] += float(taken.rank_attention.mean(axis=1).sum()) * hold
        result.phase_s["dispatch"] += float(taken.dispatch.sum()) * hold
        result.phase_s["experts"] += float(mean.sum()) * hold
        result.phase_s["combine"] += float(taken.combine.sum()) * hold
        result.phase_s["waits"] += result.wait_s[-1]
        balance = np.divide(mean, slowest, out=np.ones_like(mean), where=slowest > 0)
        result.expert_balance.append(float(balance.mean()))
        result.tokens.append(step_tokens * hold)


def _score_window(
    placement: lb.Placement,
    dispatcher: lb.Dispatcher,
    load: NDArray[np.int64],
    result: Replayed,
) -> None:
    share = lb.check_share(placement, dispatcher(placement, load.astype(np.float64)))
    result.following.append(placement.balancedness(load, share))
    result.rank_load = placement.rank_load(load, share)

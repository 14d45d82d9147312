"""Suites of solvers: each replays a routing trace on a deployment."""

import functools
import statistics
from collections.abc import Hashable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

import lb
from evaluation.kinds import routing_scenarios, suite_keys
from evaluation.kinds.columns import COST, GAP, INTERVAL, SOLVE
from evaluation.kinds.kind import Display, Kind
from evaluation.kinds.suite_ranking import SuiteRanking
from evaluation.kinds.task import open_candidate
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Parts, RatioOfSums
from evaluation.leaderboard.table import Leaderboard, Note
from evaluation.records.identity import Record
from evaluation.replay import plot_data, scores, time_split, traffic
from evaluation.replay.baselines import Baselines, baselines
from evaluation.replay.cost import cost
from evaluation.replay.deployment import ExpertDeployment
from evaluation.replay.ideal_reference import IdealReference
from evaluation.replay.recovery_time import shift_scores
from evaluation.replay.replay import replay_windows
from evaluation.replay.replay_log import ReplayLog
from evaluation.replay.scenario import Scenario
from evaluation.step.executor import StepExecutor

COLUMNS = (
    Column(
        "efficiency",
        "efficiency\n",
        "Time under perfect balance ÷ time taken: Σ ideal ÷ (Σ step + Σ migration)",
        "{:.4f}",
    ),
    INTERVAL,
    GAP,
    Column(
        "captured",
        "cap-\ntured",
        "(Efficiency − that without balancing) ÷ (that of hindsight − that without balancing)",
        "{:.1f} %",
        factor=100,
        hide=2,
    ),
    Column(
        "shift_efficiency",
        "after\nchange",
        "Efficiency of the first window after the mixture of requests has changed",
    ),
    Column(
        "recovery_windows",
        "windows to\nrecover",
        "Windows from the change until efficiency is within 1 % of the level of the last three",
        "{:.1f}",
        better=-1,
    ),
    Column(
        "balancedness_fitted",
        "balance\nfitted",
        "Mean ÷ maximum rank load on the last window that the solver saw; most papers report this",
    ),
    Column(
        "balancedness_next",
        "balance\nnext",
        "Mean ÷ maximum rank load on the window after that; a deployment gets this",
    ),
    Column(
        "balancedness_seconds_next",
        "balance\nseconds",
        "Balance next in seconds of the experts instead of tokens",
        hide=4,
    ),
    Column(
        "worst_layer_next", "worst\nlayer", "Lowest balance of a layer on the next windows", hide=6
    ),
    Column(
        "gap_to_bound",
        "gap to\nbound",
        "Upper bound of the fitted balance, for any placement, minus the fitted balance",
        better=-1,
        hide=7,
    ),
    Column(
        "gap_to_bound_next",
        "gap to\nbound next",
        "Upper bound of the balance on the next windows minus balance next",
        better=-1,
        hide=10,
    ),
    Column(
        "slots_changed",
        "slots\nchanged",
        "Share of the slots that a rebalance rewrites",
        "{:.0f} %",
        factor=100,
        better=-1,
    ),
    Column(
        "migration_fraction",
        "time\nmoving",
        "Share of the time that migration takes, part of the efficiency",
        "{:.2f} %",
        factor=100,
        better=-1,
        hide=1,
    ),
    Column(
        "moved_bytes",
        "GB\nmoved",
        "Expert weights that ranks receive, over all scenarios",
        "{:.1f}",
        factor=1e-9,
        better=-1,
        hide=8,
    ),
    Column(
        "step_s",
        "step\nms",
        "Simulated time of an engine step, mean",
        "{:.3f}",
        factor=1e3,
        better=-1,
        hide=5,
    ),
    Column(
        "tokens_per_s_per_chip",
        "tokens/s\nper chip",
        "Simulated throughput, migration included",
        "{:,.0f}",
        hide=9,
    ),
    COST,
    SOLVE,
)


#: Keys of scores that are alike for all solvers, and what they are.
BASELINES = {
    "do_nothing": "no balancing",
    "random_replicas": "random replicas",
    "hindsight": "hindsight",
}


def _ideal_and_taken(record: Record) -> Parts:
    windows = record["windows"]
    taken = np.add(windows["step_s"], windows["migration_s"])
    return np.asarray(windows["ideal_s"], dtype=np.float64), taken


class SolverKind(Kind):
    """Solvers, by what their placements reach on the windows after those that they saw."""

    name = "solver"
    title = "solvers, by the efficiency of replayed traffic"
    display = Display(
        noun="solver",
        field="solver",
        variant="dispatcher",
        columns=COLUMNS,
        windows="balancedness_next",
        layers="balancedness_next",
        layers_bound="bound_next",
        registry=lambda variant: lb.SOLVERS,
    )
    measure = RatioOfSums("efficiency", _ideal_and_taken)
    keys = suite_keys.KEYS

    def scenarios(self, where: str, table: dict[str, Any]) -> list[Scenario]:
        """Return the scenario of a table, once for each of its dispatchers."""
        return routing_scenarios.read(where, table)

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return hashes of presets and traces."""
        return routing_scenarios.inputs(task)

    def leaderboard(self, ranking: SuiteRanking) -> Leaderboard:
        """Return the ranking without columns that no row fills, and with baselines below it."""
        board = super().leaderboard(ranking)
        first, *others = board.columns
        kept = [
            column
            for column in others
            if any(line.values.get(column.key) is not None for line in board.lines)
        ]
        known = board.lines[0].values if board.lines else {}
        values = [f"{name} {known[key]:.4f}" for key, name in BASELINES.items() if known.get(key)]
        text = f"for comparison: {', '.join(values)}, perfect balance 1"
        notes = [Note(text, "dim")] if values else []
        return replace(board, columns=(first, *kept), notes=(*notes, *board.notes))

    def group(self, task: TaskSpec) -> Hashable:
        """Return what identifies the traffic."""
        return traffic.traffic_key(task.scenario, task.candidate.seed)

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record, and traffic, executor and deployment for the replay."""
        scenario, candidate = task.scenario, task.candidate
        record = self.new_record(task, trace_seed=scenario.trace_seed(candidate.seed))
        trace = traffic.traffic_of(scenario, candidate.seed)
        scenario.check_trace(trace)
        executor = scenario.executor()
        deployment = scenario.deployment(executor)
        record["trace_hash"] = trace.content_hash
        record["fabric_hash"] = executor.collectives.fabric.content_hash
        record["deployment"] = asdict(deployment)
        return record, (trace, executor, deployment)

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Replay the traffic; a solver that learns is trained on its part of the windows first."""
        trace, executor, deployment = prepared
        scenario = task.scenario
        windows = traffic.windows_of(trace, scenario)
        ideal = _ideal_reference(_without_choices(scenario), record["trace_hash"])
        with open_candidate(task, record) as solver:
            training = time_split.train(solver, traffic.windows_of(trace, scenario), scenario)
            record["split"] = training.windows
            log = replay_windows(
                windows,
                executor,
                deployment,
                training.candidate,
                scored_from=training.scored_from,
                ideal_reference=ideal,
            )
        outcome = _outcome(log, executor, deployment)
        if scenario.workload:
            # Three more replays a scenario and seed: recorded traces, mostly for a quick look, are
            # spared them.
            scale = _baselines(
                replace(scenario, forecaster="last"), task.candidate.seed, training.scored_from
            )
            outcome["scores"] |= scale.scores(outcome["scores"]["efficiency"])
            outcome["windows"]["hindsight"] = list(scale.hindsight_windows)
        if scenario.change_window is not None:
            ideal_s, taken_s = (each.tolist() for each in _ideal_and_taken(outcome))
            outcome["scores"] |= shift_scores(
                ideal_s, taken_s, scenario.change_window - training.scored_from
            )
        return outcome


def _without_choices(scenario: Scenario) -> Scenario:
    """Return the scenario without what the ideal time does not depend on."""
    return replace(scenario, dispatcher="even", forecaster="last", objective="tokens")


@functools.lru_cache(maxsize=4)
def _ideal_reference(scenario: Scenario, trace_hash: str) -> IdealReference:
    """Return the cache of ideal times of a trace and a deployment, shared by all solvers."""
    return IdealReference()


@functools.lru_cache(maxsize=4)
def _baselines(scenario: Scenario, seed: int, scored_from: int) -> Baselines:
    """Return baselines and ceiling of a scenario with one seed, shared by all solvers."""
    replayed = traffic.traffic_of(scenario, seed)
    executor = scenario.executor()
    return baselines(
        traffic.windows_of(replayed, scenario),
        executor,
        scenario.deployment(executor),
        scored_from,
        _ideal_reference(_without_choices(scenario), replayed.content_hash),
    )


def _outcome(
    log: ReplayLog, executor: StepExecutor, deployment: ExpertDeployment
) -> dict[str, Any]:
    """Return scores, what plots need, and measured times of a replay."""
    solve_s = log.solve_s
    return {
        "scores": scores.summary(log, executor, deployment),
        "windows": scores.by_window(log),
        "layers": scores.by_layer(log),
        "rank_load": plot_data.rank_load(log),
        "breakdown": plot_data.breakdown(log),
        "links": plot_data.links(log, executor),
        **({"cost": cost(solve_s, log.reference_s)} if solve_s else {}),
        "wall": {
            "solve_s": solve_s,
            "solve_s_median": statistics.median(solve_s) if solve_s else 0.0,
        },
    }


SOLVER = SolverKind()

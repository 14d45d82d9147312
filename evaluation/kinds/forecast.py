"""Suites of forecasters, by their error and by the balance of placements for their forecasts."""

import statistics
import time
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.candidate import ForecasterCandidate
from evaluation.kinds import routing_scenarios
from evaluation.kinds.columns import GAP, INTERVAL
from evaluation.kinds.kind import Display, Kind
from evaluation.kinds.suite_ranking import SuiteRanking
from evaluation.kinds.task import open_candidate
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Parts, RatioOfSums
from evaluation.leaderboard.table import Leaderboard, TableLine
from evaluation.records import record_file
from evaluation.records.identity import Identity, Record
from evaluation.replay import time_split, traffic
from evaluation.replay.candidate_call import candidate_call
from evaluation.replay.cost import cost, reference_s
from evaluation.replay.replay_window import ReplayWindow
from evaluation.replay.scenario import Scenario

Array = NDArray[np.float64]

#: Places experts for each forecast, so that forecasts alone differ.
PLANNER = "greedy"
DISPATCHERS = ("even", "optimal")
#: Share of a layer's experts that count as heaviest.
HOT_FRACTION = 0.1

#: Name of the line that shows what the planner reaches if it is given the load that came.
FORESIGHT = "(perfect foresight)"
COLUMNS = (
    Column(
        "balancedness_even",
        "balance\neven",
        "Mean ÷ maximum rank load of a placement for the forecast, on the window that came, with "
        "tokens split evenly over replicas",
    ),
    INTERVAL,
    GAP,
    Column(
        "balancedness_optimal",
        "balance\noptimal",
        "Balance even, but with tokens split optimally over replicas",
    ),
    Column(
        "error",
        "next-window\nerror",
        "Sum of absolute errors of the forecast ÷ sum of the load",
        "{:.1f} %",
        factor=100,
        better=-1,
    ),
    Column(
        "hot_error",
        "of heaviest\nexperts",
        "The error over the tenth of the experts that turned out heaviest",
        "{:.1f} %",
        factor=100,
        better=-1,
    ),
    Column(
        "foresight_even",
        "foresight",
        "Balance even if the forecast had been right; the same for every forecaster",
        better=0,
        terminal=False,
    ),
    Column(
        "solve_s",
        "forecast\nms",
        "Measured seconds of a call, median; depends on the machine",
        "{:.2f}",
        factor=1e3,
        better=-1,
    ),
)


@dataclass
class ForecastLog:
    """Errors and balance of the forecasts, a [layers] array for each window; measured seconds."""

    error: list[Array] = field(default_factory=list)
    hot_error: list[Array] = field(default_factory=list)
    balancedness: dict[str, list[Array]] = field(default_factory=dict)
    foresight: dict[str, list[Array]] = field(default_factory=dict)
    forecast_s: list[float] = field(default_factory=list)
    reference_s: list[float] = field(default_factory=list)


def _balancedness_of_windows(record: Record) -> Parts:
    values = np.asarray(record["windows"]["balancedness_even"], dtype=np.float64)
    return values, np.ones_like(values)


class ForecastKind(Kind):
    """Forecasters, by the balance of placements that are made for their forecasts."""

    name = "forecast"
    title = "forecasters, by the balance that their forecasts lead to"
    display = Display(
        noun="forecaster",
        field="forecaster",
        variant="",
        columns=COLUMNS,
        windows="balancedness_even",
        layers="balancedness_even",
        registry=lambda variant: lb.FORECASTERS,
    )
    measure = RatioOfSums(
        "balancedness_even",
        _balancedness_of_windows,
        identity=Identity("forecaster", dispatcher=""),
    )
    candidate = ForecasterCandidate
    option = "forecaster"

    def scenarios(self, where: str, table: dict[str, Any]) -> list[Scenario]:
        """Return the scenario of a table."""
        return routing_scenarios.read(where, table)

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return hashes of presets, and of traces or workloads."""
        return routing_scenarios.inputs(task)

    def group(self, task: TaskSpec) -> Hashable:
        """Return what identifies the traffic."""
        return traffic.traffic_key(task.scenario, task.candidate.seed)

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record, and the traffic."""
        scenario, candidate = task.scenario, task.candidate
        trace = traffic.traffic_of(scenario, candidate.seed)
        scenario.check_trace(trace)
        record = record_file.new_record(
            kind=self.name,
            suite=task.suite,
            family=scenario.family or scenario.id,
            scenario=asdict(scenario),
            forecaster=candidate.name,
            forecaster_file=candidate.file_hash,
            seed=candidate.seed,
            trace_seed=scenario.trace_seed(candidate.seed),
            trace_hash=trace.content_hash,
        )
        return record, trace

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Forecast each window from those before it."""
        with open_candidate(task, record) as forecaster:
            scenario = task.scenario
            training = time_split.train(
                forecaster, traffic.windows_of(prepared, scenario), scenario
            )
            record["split"] = training.windows
            log = score_forecasts(
                traffic.windows_of(prepared, scenario),
                scenario,
                training.candidate,
                training.scored_from,
            )
        columns = _columns(log)
        return {
            "scores": {name: float(mean(rows)) for name, rows in columns.items()},
            "layers": {name: mean(rows, axis=0).tolist() for name, rows in columns.items()},
            "windows": {name: mean(rows, axis=1).tolist() for name, rows in columns.items()},
            "cost": cost(log.forecast_s, log.reference_s),
            "wall": {
                "forecast_s": log.forecast_s,
                "forecast_s_median": statistics.median(log.forecast_s),
            },
        }

    def leaderboard(self, ranking: SuiteRanking) -> Leaderboard:
        """Return the ranking as the table shows it, and what perfect foresight would reach."""
        board = super().leaderboard(ranking)
        if not board.lines:
            return board
        # the same for every forecaster
        scores = board.lines[0].values
        foresight = {f"balancedness_{name}": scores[f"foresight_{name}"] for name in DISPATCHERS}
        return replace(board, lines=(*board.lines, TableLine(None, FORESIGHT, "", foresight)))


def score_forecasts(
    windows: Iterable[ReplayWindow],
    scenario: Scenario,
    forecaster: lb.Forecaster,
    scored_from: int = 1,
) -> ForecastLog:
    """Forecast each window from those before it, and compare with its load.

    Windows before ``scored_from`` are only observed. A forecaster sees the observed tokens of at
    most ``history_windows`` windows that have ended, and nothing else. It is judged on the load of
    the next window, which a workload draws from other sequences.

    Parameters
    ----------
    windows
        See :func:`evaluation.replay.traffic.windows_of`.
    scenario
        Its ranks, slots and history.
    forecaster
        Asked once a window.
    scored_from
        First window that is forecast.

    Returns
    -------
    ForecastLog
        ``error``: sum |forecast - load| / sum load of a layer, over its experts; ``hot_error``: the
        same over the tenth of the experts that turned out heaviest; not a number for a layer
        without load. ``balancedness``: of the planner's placement for the forecast, on the window
        that came, by dispatcher; ``foresight``: of its placement for that very window.

    Raises
    ------
    ValueError
        If there are fewer than two windows, or a forecast is not [layers, experts], finite and
        not negative. Errors of the forecaster itself are passed on.
    """
    log = ForecastLog(
        balancedness={name: [] for name in DISPATCHERS},
        foresight={name: [] for name in DISPATCHERS},
    )
    past: deque[Array] = deque(maxlen=scenario.history_windows)
    for number, window in enumerate(windows):
        if number >= scored_from:
            load = window.load.astype(np.float64)
            history = np.stack(past)
            log.reference_s.append(reference_s(history[-1]))
            started = time.perf_counter()
            with candidate_call():
                forecast = forecaster(history)
            log.forecast_s.append(time.perf_counter() - started)
            problem = lb.Problem(history, scenario.num_ranks, scenario.slots_per_rank)
            with candidate_call():  # checks what was forecast
                planned = problem.replace(forecast=forecast)
            _append_scores(log, planned, problem.replace(forecast=load), load)
        past.append(window.observed.astype(np.float64))
    if not log.error:
        raise ValueError(
            f"the traffic has fewer than {scored_from + 1} windows; {scored_from} observed and the "
            "next one forecast: give shorter windows or longer traffic"
        )
    return log


def _append_scores(
    log: ForecastLog, planned: lb.Problem, foreseen: lb.Problem, load: Array
) -> None:
    heaviest = np.argsort(-load, axis=1, kind="stable")[
        :, : max(1, round(HOT_FRACTION * load.shape[1]))
    ]
    forecast = planned.planned_load
    log.error.append(_relative_error(forecast, load))
    log.hot_error.append(
        _relative_error(
            np.take_along_axis(forecast, heaviest, 1), np.take_along_axis(load, heaviest, 1)
        )
    )
    for problem, scores in ((planned, log.balancedness), (foreseen, log.foresight)):
        placement = lb.solve(problem, PLANNER)
        for name in DISPATCHERS:
            share = lb.check_share(placement, lb.make_dispatcher(name)(placement, load))
            scores[name].append(placement.balancedness(load, share))


def _relative_error(forecast: Array, load: Array) -> Array:
    """Return the sum of absolute errors over the load, [layers]; nan without load."""
    total = load.sum(axis=1)
    absolute = np.abs(forecast - load).sum(axis=1)
    error: Array = np.divide(absolute, total, out=np.full_like(total, np.nan), where=total > 0)
    return error


def _columns(log: ForecastLog) -> dict[str, list[Array]]:
    columns = {"error": log.error, "hot_error": log.hot_error}
    columns |= {f"balancedness_{name}": rows for name, rows in log.balancedness.items()}
    return columns | {f"foresight_{name}": rows for name, rows in log.foresight.items()}


def mean(rows: list[Array], axis: int | None = None) -> Any:
    """Return the mean over windows, layers without load left out; 0 where there never was one."""
    table = np.stack(rows)
    known = np.isfinite(table)
    count = known.sum(axis=axis)
    return np.where(known, table, 0.0).sum(axis=axis) / np.maximum(count, 1)


FORECAST = ForecastKind()

"""Suites of load matrices: how well a solver fits a load that it is shown, and at what cost."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import lb
from evaluation.candidates.candidate import Candidate
from evaluation.kinds import suite_keys
from evaluation.kinds.columns import COST, GAP, INTERVAL, SOLVE
from evaluation.kinds.fit.scenario import FitScenario, scenarios
from evaluation.kinds.kind import Display, Kind
from evaluation.kinds.seeds import one_for_each_seed
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import open_candidate
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Parts, RatioOfSums
from evaluation.records import record_file
from evaluation.records.identity import Record
from evaluation.replay import plot_data
from evaluation.replay.candidate_call import candidate_call
from evaluation.replay.cost import cost, reference_s

#: Calls whose time is measured, while they take no longer than this together.
CALLS = 3
LONGEST_S = 1.0

COLUMNS = (
    Column(
        "balancedness_fitted",
        "balance\nfitted",
        "Mean ÷ maximum rank load on the matrix that the solver was shown",
        "{:.4f}",
    ),
    INTERVAL,
    GAP,
    Column("worst_layer_fitted", "worst\nlayer", "Lowest balance of a layer on the matrix", hide=5),
    Column(
        "gap_to_bound",
        "gap to\nbound",
        "Upper bound of the fitted balance, for any placement, minus the fitted balance",
        "{:.4f}",
        better=-1,
        hide=4,
    ),
    COST,
    SOLVE,
)


@dataclass(frozen=True)
class AnytimePoint(Candidate):
    """A solver with one value of a budget, as a point of its anytime curve.

    Parameters
    ----------
    budget
        Name and value of the parameter. The others are those of
        :class:`evaluation.candidates.candidate.Candidate`.
    """

    budget: tuple[str, Any] = ("", None)

    def identity(self) -> dict[str, Any]:
        """Return what scores depend on; rows of the leaderboard do not have the budget."""
        return {**super().identity(), "anytime": self.budget}


def anytime(tables: Any) -> dict[str, dict[str, list[Any]]]:
    """Return solver to parameter to the values of its anytime curve.

    Raises
    ------
    ValueError
        Unless it holds lists of values, of parameters that the solver has.
    """
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise ValueError(f"anytime = {tables!r}; give tables [anytime.SOLVER]")
    for name, budgets in tables.items():
        for key, values in budgets.items():
            if not isinstance(values, list) or not values:
                raise ValueError(f"anytime.{name}.{key} = {values!r}; give a list of values")
            for value in values:
                lb.make(name, **{key: value})
    return tables


KEYS = {**suite_keys.KEYS, "anytime": anytime}


def _balancedness_of_layers(record: Record) -> Parts:
    values = np.asarray(record["layers"]["balancedness_fitted"], dtype=np.float64)
    return values, np.ones_like(values)


class FitKind(Kind):
    """Solvers, by the balance they reach on a matrix that they are shown."""

    name = "fit"
    title = "solvers, by the balance on a load matrix that they are shown"
    display = Display(
        noun="solver",
        field="solver",
        variant="dispatcher",
        columns=COLUMNS,
        layers="balancedness_fitted",
        layers_bound="bound_fitted",
        registry=lambda variant: lb.SOLVERS,
    )
    measure = RatioOfSums("balancedness_fitted", _balancedness_of_layers, follow=False)
    keys = KEYS

    def scenarios(self, where: str, table: dict[str, Any]) -> list[FitScenario]:
        """Return the scenario of a table, once for each of its laws."""
        return scenarios(where, table)

    def candidates(
        self, suite: Suite, scenario: FitScenario, candidates: Sequence[Candidate]
    ) -> list[Candidate]:
        """Return each candidate once for each seed, and the points of their anytime curves."""
        points = [
            point
            for each in candidates
            for point in _points(suite, replace(each, seed=suite.seeds[0]))
            if scenario.anytime
        ]
        return one_for_each_seed(scenario, candidates, suite.seeds) + points

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return the version of numpy, which draws the matrix."""
        return {"numpy": record_file.provenance()["host"]["numpy"]}

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record, and the load [layers, experts]."""
        scenario, candidate = task.scenario, task.candidate
        load = scenario.load(candidate.seed)
        record = self.new_record(
            task,
            trace_seed=candidate.seed,
            trace_hash=hashlib.sha256(load.tobytes()).hexdigest(),
            fabric_hash=None,
        )
        if isinstance(candidate, AnytimePoint):
            record["anytime"] = dict(zip(("parameter", "value"), candidate.budget, strict=True))
        return record, load

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Ask the solver for a placement of the matrix."""
        scenario, candidate = task.scenario, task.candidate
        with open_candidate(task, record) as solver:
            answer, solve_s, references_s = _solve(scenario, candidate.seed, solver)
        outcome = _outcome(scenario, answer, prepared)
        outcome["cost"] = cost(solve_s, references_s)
        if "anytime" in record:
            point = {**record["anytime"], "ratio": outcome["cost"]["ratio"]}
            point["balancedness"] = outcome["scores"]["balancedness_fitted"]
            outcome["cost"]["curve"] = [point]
        median_s = sorted(solve_s)[len(solve_s) // 2]
        return {**outcome, "wall": {"solve_s": solve_s, "solve_s_median": median_s}}


def _points(suite: Suite, candidate: Candidate) -> list[AnytimePoint]:
    """Return a candidate with each value of the budgets that the suite lists for it."""
    budgets = suite.options.get("anytime", {}).get(candidate.spec, {})
    return [
        AnytimePoint(
            candidate.spec,
            candidate.seed,
            tuple(sorted({**dict(candidate.params), key: value}.items())),
            candidate.limits,
            candidate.permute,
            (key, value),
        )
        for key, values in budgets.items()
        for value in values
    ]


def _solve(
    scenario: FitScenario, seed: int, solver: lb.Solver
) -> tuple[lb.Placement, list[float], list[float]]:
    """Return the first answer, and the times of all calls and of the reference before each."""
    answers: list[lb.Placement] = []
    solve_s: list[float] = []
    references_s: list[float] = []
    while not answers or (len(answers) < CALLS and sum(solve_s) < LONGEST_S):
        # a new problem each time: a solver may have written into the last one
        problem = scenario.problem(seed)
        references_s.append(reference_s(problem.planned_load))
        started = time.perf_counter()
        with candidate_call():
            answer = lb.solve(problem, solver)
            solve_s.append(time.perf_counter() - started)
            # a subclass of Placement could claim anything: only its map counts
            answers.append(lb.Placement(answer.physical_to_logical, answer.num_ranks))
    scenario.problem(seed).check(answers[0])
    return answers[0], solve_s, references_s


def _outcome(scenario: FitScenario, answer: lb.Placement, load: Any) -> dict[str, Any]:
    dispatcher = lb.make_dispatcher(scenario.dispatcher)
    share = lb.check_share(answer, dispatcher(answer, load))
    reached = answer.balancedness(load, share)
    bound = lb.bounds.balancedness_bound(load, scenario.num_ranks, scenario.slots_per_rank)
    return {
        "scores": {
            "balancedness_fitted": float(reached.mean()),
            "worst_layer_fitted": float(reached.min()),
            "gap_to_bound": float((bound - reached).mean()),
        },
        "windows": {"balancedness_fitted": [float(reached.mean())]},
        "layers": {"balancedness_fitted": reached.tolist(), "bound_fitted": bound.tolist()},
        "rank_load": plot_data.relative_load(answer.rank_load(load, share)),
    }


FIT = FitKind()

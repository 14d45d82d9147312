"""How well solvers fit a load that they are shown: one matrix, one answer, and what it costs."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import lb
from evaluation.candidates.candidate import Candidate, parameters
from evaluation.kinds.fit_scenario import FitScenario
from evaluation.kinds.solver import seeded_for
from evaluation.kinds.suite import Suite
from evaluation.records import record_file
from evaluation.replay import plot_data
from evaluation.replay.cost import cost, reference_s

#: Calls whose time is measured, while they take no longer than this together.
CALLS = 3
LONGEST_S = 1.0


@dataclass(frozen=True)
class FitTask:
    """One record to be: a candidate on a matrix.

    Parameters
    ----------
    suite, scenario, candidate
        What is run; the candidate's seed draws the matrix, too.
    anytime
        (parameter, value) that makes this a point of an anytime curve; None for a row.
    """

    suite: str
    scenario: FitScenario
    candidate: Candidate
    anytime: tuple[str, Any] | None = None

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        made_by = record_file.provenance()
        return {
            "suite": self.suite,
            "kind": "fit",
            "scenario": asdict(self.scenario),
            **self.candidate.identity(),
            "anytime": self.anytime,
            "source_hash": made_by["source_hash"],
            "numpy": made_by["host"]["numpy"],
        }

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = self.candidate.name.replace(":", "-")
        name = f"{self.scenario.id}--{name}--seed{self.candidate.seed}"
        return record_file.path_of(folder, self.suite, name, self.identity())

    def run(self) -> dict[str, Any]:
        """Return the record; a solver's failure becomes part of it."""
        return run_fit(self)

    def failed(self, reason: str) -> dict[str, Any]:
        """Return the record of a run that could not be ended."""
        return _prepared(self)[0] | record_file.lost(reason)


def tasks(suite: Suite, candidates: Iterable[Candidate]) -> list[FitTask]:
    """Return all tasks of a suite of matrices, and those of its anytime curves."""
    chosen = list(candidates)
    found = []
    for scenario in suite.scenarios:
        assert isinstance(scenario, FitScenario)
        found += [
            FitTask(suite.id, scenario, one) for one in seeded_for(scenario, chosen, suite.seeds)
        ]
        if scenario.anytime:
            found += [
                FitTask(suite.id, scenario, point, (key, dict(point.params)[key]))
                for one in chosen
                for key, point in _points(suite, replace(one, seed=suite.seeds[0]))
            ]
    return found


def _points(suite: Suite, candidate: Candidate) -> list[tuple[str, Candidate]]:
    """Return a candidate with each of the budgets that the suite asks for, and their name."""
    return [
        (
            key,
            replace(candidate, params=tuple(sorted({**dict(candidate.params), key: one}.items()))),
        )
        for key, values in suite.anytime.get(candidate.spec, {}).items()
        for one in values
    ]


def _prepared(task: FitTask) -> tuple[dict[str, Any], Any]:
    """Return all of a record that its solver has no part in, and the load [layers, experts]."""
    scenario, candidate = task.scenario, task.candidate
    load = scenario.load(candidate.seed)
    record = record_file.begun(
        kind="fit",
        suite=task.suite,
        family=scenario.family,
        scenario=asdict(scenario),
        solver=candidate.name,
        solver_file=candidate.file_hash,
        solver_entry=candidate.entry or None,
        sandboxed=candidate.sandboxed,
        dispatcher=scenario.dispatcher,
        seed=candidate.seed,
        trace_seed=candidate.seed,
        trace_hash=hashlib.sha256(load.tobytes()).hexdigest(),
        fabric_hash=None,
    )
    if task.anytime is not None:
        record["anytime"] = dict(zip(("parameter", "value"), task.anytime, strict=True))
    return record, load


def run_fit(task: FitTask) -> dict[str, Any]:
    """Ask the solver for a placement of one matrix and return its record."""
    started = time.perf_counter()
    scenario, candidate = task.scenario, task.candidate
    record, load = _prepared(task)
    try:
        solver = candidate.make()
        record["parameters"] = parameters(solver)
        answer, solve_s, beside_s = _asked(scenario, candidate.seed, solver)
    except (Exception, SystemExit) as error:
        record |= record_file.failure(error)
        record["wall"] = {"total_s": time.perf_counter() - started}
        return record
    record |= {"status": "ok", **_scored(scenario, answer, load)}
    record["cost"] = cost(solve_s, beside_s)
    if task.anytime is not None:
        point = {**record["anytime"], "ratio": record["cost"]["ratio"]}
        point["balancedness"] = record["scores"]["balancedness_fitted"]
        record["cost"]["curve"] = [point]
    record["wall"] = {
        "total_s": time.perf_counter() - started,
        "solve_s": solve_s,
        "solve_s_median": sorted(solve_s)[len(solve_s) // 2],
    }
    return record


def _asked(
    scenario: FitScenario, seed: int, solver: lb.Solver
) -> tuple[lb.Placement, list[float], list[float]]:
    """Return the first answer, and the times of all calls and of the reference beside each."""
    answers: list[lb.Placement] = []
    solve_s: list[float] = []
    beside_s: list[float] = []
    while not answers or (len(answers) < CALLS and sum(solve_s) < LONGEST_S):
        # a fresh one each time: a solver may have written into the last
        problem = scenario.problem(seed)
        beside_s.append(reference_s(problem.planned_load))
        started = time.perf_counter()
        answer = lb.solve(problem, solver)
        solve_s.append(time.perf_counter() - started)
        # an answer is the map alone, whatever else its class may claim
        answers.append(lb.Placement(answer.physical_to_logical, answer.num_ranks))
    scenario.problem(seed).check(answers[0])
    return answers[0], solve_s, beside_s


def _scored(scenario: FitScenario, answer: lb.Placement, load: Any) -> dict[str, Any]:
    split = lb.make_dispatcher(scenario.dispatcher)
    share = lb.check_share(answer, split(answer, load))
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
        "rank_load": plot_data.relative(answer.rank_load(load, share)),
    }

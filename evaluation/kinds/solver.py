"""Solvers on the scenarios of a suite: a task for each pair, and its record."""

import functools
import hashlib
import statistics
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import traces
from evaluation.candidates.candidate import Candidate, parameters
from evaluation.kinds.suite import Suite
from evaluation.records import record_file
from evaluation.replay import plot_data, scores, time_split
from evaluation.replay.cost import cost
from evaluation.replay.ideal_reference import Yardstick
from evaluation.replay.replay import Deployment, replay
from evaluation.replay.scenario import Scenario
from evaluation.step.executor import StepExecutor
from hardware import Device


@dataclass(frozen=True)
class Task:
    """One record to be: a candidate on a scenario."""

    suite: str
    scenario: Scenario
    candidate: Candidate

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        scenario = self.scenario
        return {
            "suite": self.suite,
            "scenario": asdict(scenario),
            **self.candidate.identity(),
            # covers the bundled presets as well; a user's own are hashed beside it
            "source_hash": record_file.provenance()["source_hash"],
            "presets": [record_file.own_file(name) for name in scenario.presets],
            "device": hashlib.sha256(repr(Device.preset(scenario.device)).encode()).hexdigest(),
            "traces": _traces(scenario),
        }

    def run(self) -> dict[str, Any]:
        """Return the record."""
        return run_task(self)

    def failed(self, reason: str) -> dict[str, Any]:
        """Return the record of a run that could not be ended."""
        return _prepared(self)[0] | record_file.lost(reason)

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = self.candidate.name.replace(":", "-")
        name = f"{self.scenario.id}--{name}--{self.scenario.dispatcher}--seed{self.candidate.seed}"
        return record_file.path_of(folder, self.suite, name, self.identity())


def _traces(scenario: Scenario) -> list[Any]:
    """Return hashes of recorded traces; of drawn ones what, beside the seed, decides on them."""
    if scenario.is_drawn:
        return [*scenario.trace, record_file.provenance()["host"]["numpy"]]
    return [traces.open(name, "routing").content_hash for name in scenario.trace]


def tasks(suite: Suite, candidates: Iterable[Candidate]) -> list[Task]:
    """Return all tasks of a suite, scenario by scenario and seed by seed.

    Where the trace is drawn everyone meets every seed of the suite. On a recorded trace, those do
    that draw lots themselves, and the others run once.

    Raises
    ------
    ValueError
        If two candidates have one name, under which the leaderboard could not tell them apart.
    """
    chosen = list(candidates)
    specs: dict[str, str] = {}
    for one in chosen:
        if one.name in specs:
            raise ValueError(
                f"{specs[one.name]} and {one.spec} are both called {one.name!r} in the "
                "leaderboard; rename one"
            )
        specs[one.name] = one.spec
    return [
        Task(suite.id, scenario, seeded)
        for scenario in suite.scenarios
        for seeded in seeded_for(scenario, chosen, suite.seeds)
    ]


def seeded_for(
    scenario: Any, candidates: Iterable[Candidate], seeds: tuple[int, ...]
) -> list[Candidate]:
    """Return each candidate once for each seed that makes a difference on the scenario."""
    chosen = list(candidates)
    varied = {one.spec for one in chosen if scenario.is_drawn or one.is_seeded}
    return [
        replace(one, seed=seed)
        for number, seed in enumerate(seeds)
        for one in chosen
        if number == 0 or one.spec in varied
    ]


@functools.lru_cache(maxsize=4)
def _yardstick(scenario: Scenario, trace_hash: str) -> Yardstick:
    """Return the yardstick of a trace and a deployment, kept while solvers take turns on it."""
    return Yardstick()


def _prepared(task: Task) -> tuple[dict[str, Any], Any, StepExecutor, Deployment]:
    """Return all of a record that its solver has no part in, and what the solver is tried on."""
    record = record_file.begun(
        kind="solver",
        suite=task.suite,
        family=task.scenario.family or task.scenario.id,
        scenario=asdict(task.scenario),
        solver=task.candidate.name,
        solver_file=task.candidate.file_hash,
        dispatcher=task.scenario.dispatcher,
        seed=task.candidate.seed,
        trace_seed=task.candidate.seed if task.scenario.is_drawn else None,
    )
    trace = task.scenario.load_trace(task.candidate.seed)
    task.scenario.check_trace(trace)
    executor = task.scenario.executor()
    deployment = task.scenario.deployment(executor)
    record["trace_hash"] = trace.content_hash
    record["fabric_hash"] = executor.collectives.fabric.content_hash
    record["deployment"] = asdict(deployment)
    record["solver_entry"] = task.candidate.entry or None
    record["sandboxed"] = task.candidate.sandboxed
    return record, trace, executor, deployment


def run_task(task: Task) -> dict[str, Any]:
    """Replay one scenario and return its record; a solver's failure becomes part of it."""
    started = time.perf_counter()
    record, trace, executor, deployment = _prepared(task)
    try:
        with ExitStack() as stack:
            solver = task.candidate.make()
            stack.callback(getattr(solver, "close", lambda: None))
            record["parameters"] = parameters(solver)
            learned = time_split.learned(solver, trace, task.scenario)
            record["split"] = learned.windows
            plain = replace(task.scenario, dispatcher="even", forecaster="last", objective="tokens")
            replayed = replay(
                trace,
                executor,
                deployment,
                learned.made,
                scored_from=learned.scored_from,
                yardstick=_yardstick(plain, record["trace_hash"]),
            )
    except (Exception, SystemExit) as error:
        record |= record_file.failure(error)
        record["wall"] = {"total_s": time.perf_counter() - started}
        return record
    record["status"] = "ok"
    record["scores"] = scores.summary(replayed, executor, deployment)
    record["windows"] = scores.by_window(replayed)
    record["layers"] = scores.by_layer(replayed)
    record["rank_load"] = plot_data.rank_load(replayed)
    record["breakdown"] = plot_data.breakdown(replayed, deployment)
    record["links"] = plot_data.links(replayed, executor, deployment)
    if replayed.solve_s:
        record["cost"] = cost(replayed.solve_s, replayed.reference_s)
    record["wall"] = {
        "total_s": time.perf_counter() - started,
        "solve_s": replayed.solve_s,
        "solve_s_median": statistics.median(replayed.solve_s) if replayed.solve_s else 0.0,
    }
    return record

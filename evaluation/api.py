"""Scores of a solver on a suite, in one call."""

import json
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import lb
from evaluation.candidates.callable_candidate import CallableCandidate
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox.limits import Limits
from evaluation.kinds import suite_file
from evaluation.kinds.own import OwnSuite
from evaluation.kinds.solver import SOLVER
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import tasks
from evaluation.leaderboard import RankingRow
from evaluation.records import record_file, sweep
from lb.solve import solver_name

#: What :func:`evaluate` takes as a solver.
Solver = str | Path | Candidate | Callable[[lb.Problem], lb.Placement]


@dataclass(frozen=True)
class Scores:
    """Scores of a solver on a suite.

    Parameters
    ----------
    solver, suite
        Name of the solver, and id of the suite.
    combined_score
        Mean over the scenarios of the efficiency, time under perfect balance over time taken, in
        (0, 1]; 0 if the solver failed or gave an infeasible answer anywhere.
    interval
        95 % confidence interval of the combined score: the ``interval`` of the solver's row on the
        leaderboard, or the mean of several rows, one for each dispatcher. ``None`` where the score
        is 0, or a scenario has a single window.
    within_recording
        Whether a scenario ran on one traffic alone. The interval then compares windows of that
        recording, and says nothing about another one. With several seeds of generated traffic it
        is an interval over independent repetitions.
    scenarios
        Scores of each scenario, by its id and dispatcher: "ep16/even".
    failures
        Reasons of failures, by scenario: "infeasible: …" or "failed: …".
    cost_ratio
        Solve time over that of the reference routine timed with it, median of the scenarios;
        ``None`` where it was not measured. In no score.
    provenance
        Version, commit, source hash and host of the evaluation, hash of the file, seed and limits.
    records
        The records, one for each run.
    """

    solver: str
    suite: str
    combined_score: float
    interval: tuple[float, float] | None
    within_recording: bool
    scenarios: dict[str, dict[str, float]]
    failures: dict[str, str]
    cost_ratio: float | None
    provenance: dict[str, Any]
    records: tuple[dict[str, Any], ...] = field(repr=False, default=())

    def to_json(self) -> str:
        """Return everything but the records as JSON."""
        fields = {key: value for key, value in vars(self).items() if key != "records"}
        return json.dumps(fields, indent=1, allow_nan=False)


def evaluate(
    solver: Solver,
    suite: str | Path | Suite | OwnSuite = "quick",
    *,
    seed: int | None = None,
    jobs: int = 1,
    limits: Limits | None = Limits(),  # noqa: B008 - immutable
) -> Scores:
    """Run a solver on a suite and return its scores.

    Parameters
    ----------
    solver
        A registered name, ``path/to/file.py`` with or without ``:name``, a
        :class:`~evaluation.candidates.candidate.Candidate`, or a callable from problem to
        placement, which runs in this process.
    suite
        A bundled suite of solvers, a ``.toml`` file, or a suite that is loaded already, such as one
        on your own recordings or workload (:func:`evaluation.kinds.own.own_suite`).
    seed
        Random seed of solvers and generated traces; by default the seeds of the suite.
    jobs
        Number of worker processes. With more than one, pickle must find a callable by its name.
    limits
        Limits of a solver from a file, which runs in its own process; ``None`` runs it in this one.

    Returns
    -------
    Scores
        Scores; if the solver fails, with its failures.

    Raises
    ------
    ValueError
        If the solver or suite is unknown, or the suite does not compare solvers.
    """
    candidate = _candidate(solver, limits)
    if isinstance(suite, OwnSuite):
        suite = suite.suite
    loaded = suite if isinstance(suite, Suite) else _load_suite(suite)
    if seed is not None:
        loaded = replace(loaded, seeds=(seed,))
    for scenario in loaded.scenarios:
        scenario.check()
    with tempfile.TemporaryDirectory(prefix="podlab-evaluate-") as folder:
        records = sweep.run(tasks(loaded, [candidate]), Path(folder), jobs)
    return scores_of(candidate.name, loaded.id, records)


def scores_of(solver: str, suite: str, records: Sequence[dict[str, Any]]) -> Scores:
    """Return the scores of one solver on one suite, from its records."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        runs[f"{record['scenario']['id']}/{record['dispatcher']}"].append(record)
    failures = {
        scenario: f"{record['status']}: {record['reason']}"
        for scenario, of_scenario in runs.items()
        for record in of_scenario
        if record["status"] != "ok"
    }
    scored = {key: of_scenario for key, of_scenario in runs.items() if key not in failures}
    means = {
        key: _mean([record["scores"] for record in of_scenario])
        for key, of_scenario in scored.items()
    }
    complete = bool(means) and not failures
    ratios = [
        record["cost"]["ratio"]
        for of_scenario in scored.values()
        for record in of_scenario
        if "cost" in record
    ]
    rows = SOLVER.ranking(records).rows
    score = statistics.fmean(mean["efficiency"] for mean in means.values()) if complete else 0.0
    return Scores(
        solver=solver,
        suite=suite,
        combined_score=score,
        interval=_interval(rows, records, score) if complete else None,
        within_recording=any(row.within_recording for row in rows),
        scenarios=means,
        failures=failures,
        cost_ratio=statistics.median(ratios) if ratios else None,
        provenance=_provenance(records),
        records=tuple(records),
    )


def _candidate(solver: Solver, limits: Limits | None) -> Candidate:
    if isinstance(solver, Candidate):
        return solver
    if not isinstance(solver, str | Path):
        if not callable(solver):
            raise ValueError(f"solver = {solver!r} is not a name, path, candidate or callable")
        return CallableCandidate(solver_name(solver), solver=solver)
    candidate = Candidate(str(solver), limits=limits)
    if candidate.path is None:
        candidate.make()  # raises ValueError for an unknown name
    elif not candidate.path.is_file():
        raise ValueError(f"solver = {str(solver)!r}: there is no file {candidate.path}")
    return candidate


def _load_suite(name: str | Path) -> Suite:
    suite = suite_file.load(name)
    if suite.kind != "solver":
        raise ValueError(f"suite {suite.id} compares {suite.kind}s; give one that compares solvers")
    return suite


def _mean(scores: list[dict[str, float | None]]) -> dict[str, float]:
    """Return the mean of each score over the runs that have it; one that no run has is left out."""
    means = {}
    for key in scores[0]:
        known = [value for run in scores if (value := run[key]) is not None]
        if known:
            means[key] = statistics.fmean(known)
    return means


def _interval(
    rows: Sequence[RankingRow], records: Sequence[dict[str, Any]], score: float
) -> tuple[float, float] | None:
    """Return the interval of the mean over the dispatchers, each with its number of scenarios.

    All dispatchers see the same traffic, so that their scores vary together. The ends are therefore
    the means of the ends of the leaderboard's rows.
    """
    if not rows or any(row.interval is None for row in rows):
        return None
    ends = np.array([row.interval for row in rows])
    scenarios = {
        row.dispatcher: len(
            {
                record["scenario"]["id"]
                for record in records
                if record["dispatcher"] == row.dispatcher
            }
        )
        for row in rows
    }
    low, high = np.average(ends, axis=0, weights=[scenarios[row.dispatcher] for row in rows])
    return min(float(low), score), max(float(high), score)


def _provenance(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = records[0] if records else {}
    run = {key: first.get(key) for key in ("solver_file", "seed", "sandboxed", "date")}
    return {**record_file.provenance(), **run}

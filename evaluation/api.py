"""A solver and a suite to scores, in one call."""

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
from evaluation.kinds.solver import SOLVER
from evaluation.kinds.suite import Suite
from evaluation.kinds.task import tasks
from evaluation.records import record_file as records
from evaluation.records import sweep
from lb.solve import solver_name

#: What :func:`evaluate` takes as a solver.
Solver = str | Path | Candidate | Callable[[lb.Problem], lb.Placement]


@dataclass(frozen=True)
class Scores:
    """What a solver reached on a suite.

    Parameters
    ----------
    solver, suite
        What it is called, and the id of the suite.
    combined_score
        Mean over the scenarios of the efficiency, time under perfect balance over time taken, in
        (0, 1]; 0 if the solver failed or gave an infeasible answer anywhere.
    interval
        95 % confidence interval of the combined score: the ``interval`` of the solver's row on the
        leaderboard, or the mean of several rows, one for each dispatcher. ``None`` where the score
        is 0, or a scenario has a single window.
    scenarios
        Scores of each scenario, by its id and dispatcher: "ep16/even".
    failures
        What went wrong, by scenario: "infeasible: …" or "failed: …".
    cost_ratio
        Solve time over that of the reference routine timed beside it, median of the scenarios;
        ``None`` where it was not measured. In no score.
    provenance
        Version, commit, source hash and host of what judged, the file's hash, seed and limits.
    records
        The records, one a run.
    """

    solver: str
    suite: str
    combined_score: float
    interval: tuple[float, float] | None
    scenarios: dict[str, dict[str, float]]
    failures: dict[str, str]
    cost_ratio: float | None
    provenance: dict[str, Any]
    records: tuple[dict[str, Any], ...] = field(repr=False, default=())

    def to_json(self) -> str:
        """Return everything but the records as JSON."""
        found = {key: value for key, value in vars(self).items() if key != "records"}
        return json.dumps(found, indent=1, allow_nan=False)


def evaluate(
    solver: Solver,
    suite: str | Path | Suite = "quick",
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
        A bundled suite of solvers, a ``.toml`` file, or a suite that is loaded already.
    seed
        One seed, of what draws lots and of generated traces; the suite's by default.
    jobs
        Processes. With more than one, a callable must be one that pickle finds by its name.
    limits
        What a solver from a file may use in a process of its own; ``None`` runs it in this one.

    Returns
    -------
    Scores
        Also where the solver fails: its failures are in there, in words.

    Raises
    ------
    ValueError
        If solver or suite are unknown, or the suite judges something else than solvers.
    """
    candidate = _candidate(solver, limits)
    chosen = suite if isinstance(suite, Suite) else _suite(suite)
    if seed is not None:
        chosen = replace(chosen, seeds=(seed,))
    for scenario in chosen.scenarios:
        scenario.check()
    todo = tasks(chosen, [candidate])
    with tempfile.TemporaryDirectory(prefix="podlab-evaluate-") as folder:
        found = sweep.run(todo, Path(folder), jobs)
    return scores_of(candidate.name, chosen.id, found)


def scores_of(solver: str, suite: str, found: Sequence[dict[str, Any]]) -> Scores:
    """Return the scores that the records of one solver on one suite come to."""
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in found:
        runs[f"{record['scenario']['id']}/{record['dispatcher']}"].append(record)
    failures = {
        where: f"{record['status']}: {record['reason']}"
        for where, several in runs.items()
        for record in several
        if record["status"] != "ok"
    }
    ranked = {where: several for where, several in runs.items() if where not in failures}
    means = {where: _mean([one["scores"] for one in several]) for where, several in ranked.items()}
    whole = bool(means) and not failures
    ratios = [
        one["cost"]["ratio"] for several in ranked.values() for one in several if "cost" in one
    ]
    score = statistics.fmean(one["efficiency"] for one in means.values()) if whole else 0.0
    return Scores(
        solver=solver,
        suite=suite,
        combined_score=score,
        interval=_interval(found, score) if whole else None,
        scenarios=means,
        failures=failures,
        cost_ratio=statistics.median(ratios) if ratios else None,
        provenance=_provenance(found),
        records=tuple(found),
    )


def _candidate(solver: Solver, limits: Limits | None) -> Candidate:
    if isinstance(solver, Candidate):
        return solver
    if not isinstance(solver, str | Path):
        if not callable(solver):
            raise ValueError(f"solver = {solver!r} is no name, path, candidate or callable")
        return CallableCandidate(solver_name(solver), solver=solver)
    candidate = Candidate(str(solver), limits=limits)
    if candidate.path is None:
        candidate.make()  # an unknown name is the caller's fault
    elif not candidate.path.is_file():
        raise ValueError(f"solver = {str(solver)!r}: there is no file {candidate.path}")
    return candidate


def _suite(name: str | Path) -> Suite:
    chosen = suite_file.load(name)
    if chosen.kind != "solver":
        raise ValueError(
            f"suite {chosen.id} compares {chosen.kind}s; give one that compares solvers"
        )
    return chosen


def _mean(several: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.fmean(one[key] for one in several) for key in several[0]}


def _interval(records: Sequence[dict[str, Any]], score: float) -> tuple[float, float] | None:
    """Return the interval of the mean over the dispatchers, each with its number of scenarios.

    All dispatchers see the same traffic, and what is hard for one is hard for the others. The ends
    are therefore the means of the ends of the leaderboard's rows.
    """
    rows = SOLVER.ranking(records).rows
    if not rows or any(row.interval is None for row in rows):
        return None
    ends = np.array([row.interval for row in rows])
    scenarios = {
        row.dispatcher: len(
            {one["scenario"]["id"] for one in records if one["dispatcher"] == row.dispatcher}
        )
        for row in rows
    }
    low, high = np.average(ends, axis=0, weights=[scenarios[row.dispatcher] for row in rows])
    return min(float(low), score), max(float(high), score)


def _provenance(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = found[0] if found else {}
    about = {key: first.get(key) for key in ("solver_file", "seed", "sandboxed", "date")}
    return {**records.provenance(), **about}

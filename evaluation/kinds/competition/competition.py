"""The balancing competition as a suite: a task for each who plays, size and seed; its record."""

import functools
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.candidates.candidate import Candidate, parameters
from evaluation.kinds.competition import protocol
from evaluation.kinds.competition.scenario import CompetitionScenario
from evaluation.kinds.solver import seeded_for
from evaluation.kinds.suite import Suite
from evaluation.records import record_file
from lb.engines.competition import Competitor

#: Parts of a run, one after another, of which a record keeps the numbers.
PARTS = 32


@dataclass(frozen=True)
class CompetitionTask:
    """One record to be: a candidate at one size, on the counts of its seed."""

    suite: str
    scenario: CompetitionScenario
    candidate: Candidate

    def identity(self) -> dict[str, Any]:
        """Return everything that the scores depend on, by name or by a hash of its contents."""
        made_by = record_file.provenance()
        return {
            "suite": self.suite,
            "kind": "competition",
            "scenario": asdict(self.scenario),
            **self.candidate.identity(),
            "source_hash": made_by["source_hash"],
            "numpy": made_by["host"]["numpy"],
        }

    def path(self, folder: Path) -> Path:
        """Return the file of this task's record."""
        name = self.candidate.name.replace(":", "-")
        name = f"{self.scenario.id}--{name}--seed{self.candidate.seed}"
        return record_file.path_of(folder, self.suite, name, self.identity())

    def run(self) -> dict[str, Any]:
        """Play and return the record; the failure of who plays becomes part of it."""
        return run_competition(self)

    def failed(self, reason: str) -> dict[str, Any]:
        """Return the record of a run that could not be ended."""
        return _begun(self) | record_file.lost(reason)


def tasks(suite: Suite, candidates: Iterable[Candidate]) -> list[CompetitionTask]:
    """Return all tasks of a suite of the competition, everyone on the counts of every seed."""
    chosen = list(candidates)
    return [
        CompetitionTask(suite.id, scenario, seeded)
        for scenario in suite.scenarios
        for seeded in seeded_for(scenario, chosen, suite.seeds)
    ]


def _begun(task: CompetitionTask) -> dict[str, Any]:
    """Return what is known of a record before it is played."""
    scenario, candidate = task.scenario, task.candidate
    return record_file.begun(
        kind="competition",
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
        trace_hash=scenario.trace_hash(candidate.seed),
        fabric_hash=None,
    )


def run_competition(task: CompetitionTask) -> dict[str, Any]:
    """Play one size and return its record."""
    started = time.perf_counter()
    scenario, candidate = task.scenario, task.candidate
    record = _begun(task)
    try:
        with ExitStack() as stack:
            solver = candidate.make()
            stack.callback(getattr(solver, "close", lambda: None))
            record["parameters"] = parameters(solver)
            played = scenario.played(entry_of(solver), candidate.seed)
    except (Exception, SystemExit) as error:
        record |= record_file.failure(error)
        record["wall"] = {"total_s": time.perf_counter() - started}
        return record
    base = _baseline(scenario, candidate.seed)
    record |= {"status": "ok", "scores": _scores(played, base), "windows": _windows(played, base)}
    call_s = played.wall_s / max(1, played.calls)
    record["wall"] = {"total_s": time.perf_counter() - started, "solve_s_median": call_s}
    return record


def entry_of(solver: Any) -> protocol.Rebalance:
    """Return who plays: a program with a ``rebalance`` of its own, else the solver in a Competitor.

    In the sandbox that is a method; in this process it is what the file holds.
    """
    if getattr(solver, "dialect", None) != "competition":
        return Competitor(solver)
    own: protocol.Rebalance = getattr(solver, "rebalance", None) or solver.entry
    return own


@functools.lru_cache(maxsize=8)
def _baseline(scenario: CompetitionScenario, seed: int) -> protocol.Played:
    return scenario.baseline(seed)


def _scores(played: protocol.Played, base: protocol.Played) -> dict[str, float]:
    return {
        "score": protocol.score(played, base),
        "total_s": played.total_s,
        "imbalance": float(played.imbalance.mean()),
        "moves": float(played.moves),
        "calls": float(played.calls),
    }


def _windows(played: protocol.Played, base: protocol.Played) -> dict[str, list[float]]:
    """Return numbers of parts of the run: imbalance, and what entry and baseline took in them."""
    parts = np.array_split(np.arange(played.imbalance.size), min(PARTS, played.imbalance.size))
    return {
        "imbalance": [float(played.imbalance[part].mean()) for part in parts],
        "taken_s": [_seconds(played, part) for part in parts],
        "baseline_s": [_seconds(base, part) for part in parts],
    }


def _seconds(played: protocol.Played, part: NDArray[np.int64]) -> float:
    share = float(played.imbalance[part].sum()) / played.imbalance.size
    moved = float(played.moved[part].sum())
    return protocol.BALANCED_RUN_S * share + moved * protocol.MOVE_S

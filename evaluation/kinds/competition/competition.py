"""Suites of the balancing competition: each candidate plays every size on the counts of a seed."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from evaluation.candidates.competition_protocol import Rebalance
from evaluation.kinds import suite_keys
from evaluation.kinds.columns import COST, GAP, INTERVAL, SOLVE
from evaluation.kinds.competition import protocol
from evaluation.kinds.competition.scenario import CompetitionScenario, scenario
from evaluation.kinds.kind import Display, Kind, Record
from evaluation.kinds.task import running
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Parts, RatioOfSums
from evaluation.records import record_file
from lb.engines.competition import Competitor

#: Parts of a run, one after another, of which a record keeps the numbers.
PARTS = 32


COLUMNS = (
    Column(
        "score",
        "score\n",
        "100 × seconds of the baseline, EPLB every 1,024 iterations, ÷ seconds of the run",
        "{:.1f}",
    ),
    INTERVAL,
    GAP,
    Column(
        "total_s",
        "seconds\n",
        "Seconds of the run: 60 × mean imbalance, and the time of the moves",
        "{:.2f}",
        better=-1,
    ),
    Column(
        "imbalance",
        "imba-\nlance",
        "Maximum ÷ mean rank load, mean over layers and iterations",
        "{:.4f}",
        better=-1,
    ),
    Column("moves", "moves\n", "Slots whose expert changed over the run", "{:,.0f}", better=-1),
    Column("calls", "calls\n", "How often the entry was asked", "{:,.0f}", better=0, hide=4),
    COST,
    SOLVE,
)


def _baseline_and_taken(record: Record) -> Parts:
    windows = record["windows"]
    taken = np.asarray(windows["taken_s"], dtype=np.float64)
    return 100 * np.asarray(windows["baseline_s"], dtype=np.float64), taken


class CompetitionKind(Kind):
    """Solvers and entries, by the score of the balancing competition."""

    name = "competition"
    title = "solvers and entries, by the score of the balancing competition"
    display = Display(
        noun="solver",
        field="solver",
        variant="dispatcher",
        columns=COLUMNS,
        registry=lambda variant: lb.SOLVERS,
    )
    measure = RatioOfSums("score", _baseline_and_taken)
    keys = suite_keys.KEYS

    def scenarios(self, where: str, table: dict[str, Any]) -> list[CompetitionScenario]:
        """Return the scenario of a table."""
        return [scenario(where, table)]

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return the version of numpy, which draws the counts."""
        return {"numpy": record_file.provenance()["host"]["numpy"]}

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record; the counts are drawn while they are played."""
        size, candidate = task.scenario, task.candidate
        record = record_file.new_record(
            kind=self.name,
            suite=task.suite,
            family=size.family,
            scenario=self.describe(task),
            solver=candidate.name,
            solver_file=candidate.file_hash,
            solver_entry=candidate.entry or None,
            sandboxed=candidate.sandboxed,
            dispatcher=size.dispatcher,
            seed=candidate.seed,
            trace_seed=candidate.seed,
            trace_hash=size.trace_hash(candidate.seed),
            fabric_hash=None,
        )
        return record, None

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Play one size of the competition."""
        size, seed = task.scenario, task.candidate.seed
        with running(task, record) as solver:
            played = size.played(entry_of(solver), seed)
        base = _baseline(size, seed)
        return {
            "scores": _scores(played, base),
            "windows": _windows(played, base),
            "wall": {"solve_s_median": played.wall_s / max(1, played.calls)},
        }


def entry_of(solver: Any) -> Rebalance:
    """Return who plays: a program with a ``rebalance`` of its own, else the solver in a Competitor.

    In the sandbox that is a method; in this process it is what the file holds.
    """
    if getattr(solver, "convention", None) != "competition":
        return Competitor(solver)
    own: Rebalance = getattr(solver, "rebalance", None) or solver.entry
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


COMPETITION = CompetitionKind()

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
from evaluation.kinds.competition.scenario import CompetitionScenario, read
from evaluation.kinds.kind import Display, Kind
from evaluation.kinds.task import open_candidate
from evaluation.kinds.task_spec import TaskSpec
from evaluation.leaderboard.column import Column
from evaluation.leaderboard.measure import Parts, RatioOfSums
from evaluation.records import record_file
from evaluation.records.identity import Record
from evaluation.replay.candidate_call import candidate_call
from lb.engines.competition import Competitor

#: Number of consecutive parts of a run for which a record has numbers.
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
    Column("calls", "calls\n", "Number of calls of the entry", "{:,.0f}", better=0, hide=4),
    COST,
    SOLVE,
)


def _baseline_and_run(record: Record) -> Parts:
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
    measure = RatioOfSums("score", _baseline_and_run)
    keys = suite_keys.KEYS

    def scenarios(self, where: str, table: dict[str, Any]) -> list[CompetitionScenario]:
        """Return the scenario of a table."""
        return [read(where, table)]

    def inputs(self, task: TaskSpec) -> dict[str, Any]:
        """Return the version of numpy, which draws the counts."""
        return {"numpy": record_file.provenance()["host"]["numpy"]}

    def begin(self, task: TaskSpec) -> tuple[Record, Any]:
        """Return the record; the counts are drawn while they are played."""
        size, candidate = task.scenario, task.candidate
        record = self.new_record(
            task,
            trace_seed=candidate.seed,
            trace_hash=size.trace_hash(candidate.seed),
            fabric_hash=None,
        )
        return record, None

    def judge(self, task: TaskSpec, prepared: Any, record: Record) -> dict[str, Any]:
        """Play one size of the competition."""
        size, seed = task.scenario, task.candidate.seed
        # the entry is called, and its answers are checked, all along the run
        with open_candidate(task, record) as solver, candidate_call():
            run = size.run(entry_of(solver), seed)
        base = _baseline(size, seed)
        return {
            "scores": _scores(run, base),
            "windows": _windows(run, base),
            "wall": {"solve_s_median": run.wall_s / max(1, run.calls)},
        }


def entry_of(solver: Any) -> Rebalance:
    """Return the ``rebalance`` of a program that has one, else a Competitor with the solver.

    ``rebalance`` is a method in the sandbox; in this process it is the object of the file.
    """
    if getattr(solver, "convention", None) != "competition":
        return Competitor(solver)
    rebalance: Rebalance = getattr(solver, "rebalance", None) or solver.entry
    return rebalance


@functools.lru_cache(maxsize=8)
def _baseline(scenario: CompetitionScenario, seed: int) -> protocol.CompetitionRun:
    return scenario.baseline(seed)


def _scores(run: protocol.CompetitionRun, base: protocol.CompetitionRun) -> dict[str, float]:
    return {
        "score": protocol.score(run, base),
        "total_s": run.total_s,
        "imbalance": float(run.imbalance.mean()),
        "moves": float(run.moves),
        "calls": float(run.calls),
    }


def _windows(run: protocol.CompetitionRun, base: protocol.CompetitionRun) -> dict[str, list[float]]:
    """Return imbalance and seconds of parts of the run, and the seconds of the baseline in them."""
    parts = np.array_split(np.arange(run.imbalance.size), min(PARTS, run.imbalance.size))
    return {
        "imbalance": [float(run.imbalance[part].mean()) for part in parts],
        "taken_s": [_seconds(run, part) for part in parts],
        "baseline_s": [_seconds(base, part) for part in parts],
    }


def _seconds(run: protocol.CompetitionRun, part: NDArray[np.int64]) -> float:
    share = float(run.imbalance[part].sum()) / run.imbalance.size
    moved = float(run.moved[part].sum())
    return protocol.BALANCED_RUN_S * share + moved * protocol.MOVE_S


COMPETITION = CompetitionKind()

"""Rounds add repetitions until pairs separate or the budget ends, and lose no record."""

import json
import subprocess
import sys

import numpy as np

from evaluation.cli.separation_rounds import run_rounds
from evaluation.kinds.solver import SOLVER
from evaluation.kinds.suite import Suite
from evaluation.replay.scenario import Scenario
from tests.evaluation.leaderboard.made import record

SUITE = Suite(
    "toy-v1",
    (Scenario("one", "ar1-drift", "deepseek-v3", num_ranks=8, slots_per_rank=33, window_steps=1),),
)


def rounds(scatter, gain, budget_s=600.0, interrupt_at=None):
    """Run rounds of two solvers; return the seeds of each round, the records, and the outcome."""
    random = np.random.default_rng(0)
    seeds = []

    def run_round(suite, earlier):
        seeds.append(suite.seeds)
        return [
            record(
                name,
                0.8 + gain * (name == "a") + scatter * random.standard_normal(),
                seed=seed,
                trace_seed=seed,
                trace_hash=str(seed),
                reused=False,
                wall={"total_s": 1.0},
            )
            for seed in suite.seeds
            for name in ("a", "b")
        ], len(seeds) == interrupt_at

    records, interrupted = run_rounds(SUITE, SOLVER, run_round, budget_s)
    return seeds, records, interrupted


def test_rounds_end_when_the_pair_separates(capsys):
    """A difference of 0.02 ± 0.01 is found, and each round says what is still tied."""
    seeds, records, interrupted = rounds(0.01, 0.02)
    ran = [seed for several in seeds for seed in several]
    assert ran == list(range(len(ran)))
    assert seeds[:2] == [(0,), (1, 2)]
    assert len(records) == 2 * len(ran)
    assert not interrupted
    rows = SOLVER.ranking(records).rows
    assert [(row.name, row.rank) for row in rows] == [("a", 1), ("b", 2)]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(seeds)
    assert lines[0].startswith("after 1 repetition: 1 tied: a even and b even (")
    assert lines[-1].endswith("every pair that differs by 0.5 % or more is separated")


def test_small_differences_are_no_reason_to_go_on():
    """Nobody asks for 0.0001: a few repetitions show that it is below 0.5 % of step time."""
    seeds, _, _ = rounds(0.0001, 0.0001)
    assert seeds == [(0,)]


def test_the_budget_ends_rounds(capsys):
    """With no time left the first round is the only one."""
    seeds, records, _ = rounds(0.1, 0.02, budget_s=0.0)
    assert (len(seeds), len(records)) == (1, 2)
    assert "the budget of 0 s ends here" in capsys.readouterr().err


def test_an_interrupted_round_does_not_count():
    """Rows that lack some of its seeds would not compare; what is recorded is reused later."""
    seeds, records, interrupted = rounds(0.1, 0.02, interrupt_at=2)
    assert interrupted
    assert {one["seed"] for one in records} == set(seeds[0])


def test_a_solver_that_fails_costs_no_record(tmp_path):
    """The others go on to more seeds, and every record is kept."""
    (tmp_path / "toy.toml").write_text(
        'id = "toy-v1"\nsolvers = ["contiguous", "greedy"]\n[[scenario]]\nid = "ep32"\n'
        'trace = "ar1-drift"\nsteps = 4\nlayers = 1\nmodel = "deepseek-v3"\nnum_ranks = 32\n'
        'slots_per_rank = 9\nwindow_steps = 1\nphase = "prefill"\n'
    )
    (tmp_path / "own.py").write_text("def bad(problem):\n    raise ValueError('no')\n")
    options = ("--suite", "toy.toml", "--solver", "own.py:bad", "--no-sandbox", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "evaluation", "bench", *options, "--until-separated"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ranking = json.loads(done.stdout)
    assert {row["name"] for row in ranking["rows"]} == {"contiguous", "greedy"}
    seeds = ranking["rows"][0]["seeds"]
    assert len(seeds) >= 3
    assert [run["name"] for run in ranking["failures"]] == ["bad"]
    files = list((tmp_path / "podlab-records").rglob("*.json"))
    assert len(files) == 2 * len(seeds) + 1

"""A solver and a suite to scores, in one call."""

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import evaluation
import lb
from evaluation import evaluate
from evaluation.api import scores_of
from evaluation.candidates.candidate import Candidate
from evaluation.candidates.sandbox import Limits
from evaluation.kinds.solver import SOLVER
from evaluation.kinds.suite import Suite
from evaluation.leaderboard import rank

SUITE = """
id = "tiny-v1"
[[scenario]]
id = "ep16"
trace = "olmoe-domains"
model = "olmoe-1b-7b"
num_ranks = 16
slots_per_rank = 5
window_steps = 1
dispatcher = ["even", "rotate"]
"""
THIRD_PARTY = """
import numpy as np
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    table = np.tile(np.arange(num_replicas) % weight.shape[1], (len(weight), 1))
    {body}
    return table
"""


@pytest.fixture
def suite(tmp_path):
    """Write a suite of two scenarios."""
    path = tmp_path / "tiny.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture
def third_party(tmp_path):
    """Return a function that writes a third-party program."""

    def write(body="", name="third_party.py"):
        path = tmp_path / name
        path.write_text(THIRD_PARTY.format(body=body))
        return path

    return write


def test_a_name_a_callable_and_a_candidate_score_alike(suite):
    """However a solver is given, it is the same solver."""
    by_name = evaluate("greedy", suite)
    assert by_name.solver == "greedy"
    assert by_name.suite == "tiny-v1"
    assert set(by_name.scenarios) == {"ep16/even", "ep16/rotate"}
    efficiency = [one["efficiency"] for one in by_name.scenarios.values()]
    assert by_name.combined_score == pytest.approx(np.mean(efficiency))
    low, high = by_name.interval
    assert low < by_name.combined_score < high
    rows = rank(by_name.records, SOLVER.measure).rows  # one a dispatcher, one scenario each
    assert (low, high) == pytest.approx(np.mean([row.interval for row in rows], axis=0))
    for other in (lb.make("greedy"), Candidate("greedy")):
        assert evaluate(other, suite).scenarios == by_name.scenarios
    assert evaluate(lambda problem: lb.solve(problem, "greedy"), suite).solver == "<lambda>"


def test_a_third_party_file_needs_no_name(suite, third_party):
    """Its scores say which file it was, and that it ran in a process of its own."""
    path = third_party()
    found = evaluate(path, suite)
    assert found.solver == "third_party"
    assert not found.failures
    assert 0 < found.combined_score <= 1
    assert found.provenance["solver_file"] == Candidate(str(path)).file_hash
    assert found.provenance["sandboxed"] is True
    assert evaluate(f"{path}:rebalance_experts", suite).scenarios == found.scenarios
    here = evaluate(path, suite, limits=None)
    assert here.provenance["sandboxed"] is False
    assert here.combined_score > 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import os; os.abort()", r"failed: RuntimeError: it was killed by signal 6 \(SIGABRT\)"),
        ("while True: pass", r"failed: TimeoutError: the call took longer than 0\.5 s"),
        ("table[:] = 0", "infeasible: layer 0 places no copy of expert"),
        ("(", "failed: ValueError: .*cannot be run: SyntaxError"),
    ],
)
def test_a_solvers_fault_is_a_score_of_nothing(body, reason, suite, third_party):
    """Nothing is raised; the reason is in the failures of every scenario."""
    found = evaluate(third_party(body), suite, limits=Limits(call_s=0.5))
    assert (found.combined_score, found.interval, found.scenarios) == (0.0, None, {})
    assert list(found.failures) == ["ep16/even", "ep16/rotate"]
    for text in found.failures.values():
        assert re.match(reason, text), text


def test_a_callables_fault_is_one_too(suite):
    """In this process as well."""
    found = evaluate(lambda problem: problem.nothing, suite)
    assert "failed: AttributeError" in found.failures["ep16/even"]


@pytest.mark.parametrize(
    ("solver", "name", "message"),
    [
        ("gredy", None, "did you mean 'greedy'"),
        ("nowhere.py", None, r"there is no file nowhere\.py"),
        (3, None, "solver = 3 is not a name, path, candidate or callable"),
        ("greedy", "unheard-of", "unknown suite 'unheard-of'"),
        ("greedy", "forecast", "compares forecasts; give one that compares solvers"),
    ],
)
def test_a_callers_fault_is_raised(solver, name, message, suite):
    """Naming what is wrong."""
    with pytest.raises(ValueError, match=message):
        evaluate(solver, name or suite)


def test_scores_travel_as_json_and_do_not_change(suite):
    """Everything but the records, of which there is one a run."""
    found = evaluate("contiguous", suite)
    said = json.loads(found.to_json())
    assert said["combined_score"] == found.combined_score
    assert said["scenarios"] == found.scenarios
    assert "records" not in said
    assert len(found.records) == 2
    with pytest.raises(FrozenInstanceError):
        found.combined_score = 1.0


def test_one_window_has_no_interval_and_seeds_are_averaged():
    """An interval needs two windows; two seeds of a scenario are one mean."""

    def record(efficiency, windows, cost, seed=0):
        return {
            "suite": "s",
            "solver": "x",
            "seed": seed,
            "scenario": {"id": "a"},
            "dispatcher": "even",
            "status": "ok",
            "scores": {"efficiency": efficiency},
            "windows": {
                "ideal_s": [efficiency] * windows,
                "step_s": [1.0] * windows,
                "migration_s": [0.0] * windows,
            },
            "cost": {"ratio": cost},
        }

    alone = scores_of("x", "s", [record(0.5, 1, 3.0)])
    assert (alone.combined_score, alone.interval, alone.cost_ratio) == (0.5, None, 3.0)
    both = scores_of("x", "s", [record(0.5, 2, 3.0), record(0.7, 2, 5.0, seed=1)])
    assert both.combined_score == pytest.approx(0.6)
    assert both.interval[0] < 0.6 < both.interval[1]
    assert both.cost_ratio == 4.0


def test_a_workload_is_scored_with_every_dispatcher(small_workload):
    """Source ranks share the tokens evenly; baselines stand beside the scores of each."""
    names = ("even", "local-first", "optimal", "rotate")
    scenarios = tuple(replace(small_workload, dispatcher=name) for name in names)
    found = evaluate("greedy", Suite("tiny-v1", scenarios, seeds=(0, 1)))
    assert not found.failures
    assert list(found.scenarios) == [f"small/{name}" for name in names]
    by_name = {name: found.scenarios[f"small/{name}"] for name in names}
    assert by_name["optimal"]["efficiency"] >= by_name["even"]["efficiency"]
    assert by_name["local-first"]["balancedness_next"] != by_name["even"]["balancedness_next"]
    for scores in by_name.values():
        assert scores["do_nothing"] < scores["hindsight"] < 1
        assert scores["efficiency"] < scores["hindsight"]


def test_a_score_that_no_run_has_is_left_out():
    """There is nothing to capture where doing nothing is as good as hindsight."""

    def record(captured, seed):
        values = {"suite": "s", "solver": "x", "scenario": {"id": "a"}, "dispatcher": "even"}
        scores = {"efficiency": 0.5, "captured": captured}
        windows = {"ideal_s": [0.5], "step_s": [1.0], "migration_s": [0.0]}
        return {**values, "seed": seed, "status": "ok", "scores": scores, "windows": windows}

    none = scores_of("x", "s", [record(None, 0), record(None, 1)])
    assert none.scenarios["a/even"] == {"efficiency": 0.5}
    some = scores_of("x", "s", [record(None, 0), record(0.7, 1)])
    assert some.scenarios["a/even"]["captured"] == 0.7


def test_the_package_is_light_until_it_judges():
    """`import evaluation` brings nothing along; an unknown name is one."""
    code = "import evaluation, sys; print('numpy' in sys.modules, 'evaluation.api' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        evaluation.evalute  # noqa: B018


def test_a_recording_says_that_its_interval_is_within_it(suite):
    """Its windows are no repetitions."""
    scores = evaluate("greedy", suite)
    assert scores.within_recording
    assert json.loads(scores.to_json())["within_recording"]


def test_own_recordings_are_a_suite(tmp_path):
    """Of totals every seed is another draw, so that the interval is over repetitions."""
    from evaluation.kinds.own import OwnSetup, own_suite
    from tests.evaluation.kinds.own.recordings import FIRST, counts, saved

    file = saved(tmp_path, "decode", counts(FIRST, 1, 10**6))
    own = own_suite(tmp_path / "own", [file], OwnSetup(tokens_per_rank=8))
    scores = evaluate("eplb", own)
    assert list(scores.scenarios) == ["steady-decode/even"]
    assert not scores.within_recording
    assert scores.interval[0] < scores.combined_score < scores.interval[1]
    assert scores.scenarios["steady-decode/even"]["do_nothing"] < scores.combined_score

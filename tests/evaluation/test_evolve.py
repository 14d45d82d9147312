"""The evaluator of evolutionary search ranks valid programs and gives 0 to all others."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from evaluation import evolve
from evaluation.candidates.evolution_workload import EvolutionWorkload

HEAD = """
import numpy as np
def rebalance_experts(weight, num_replicas, num_groups, num_nodes, num_gpus):
    layers, experts = weight.shape
"""
ROUND = "np.tile(np.arange(num_replicas) % experts, (layers, 1))"
PROGRAMS = {
    "round": f"    return {ROUND}\n",
    "good": (
        "    from lb.engines.deepseek import Rebalance\n"
        "    ours = Rebalance(solver='greedy')\n"
        "    return ours(weight, num_replicas, num_groups, num_nodes, num_gpus)\n"
    ),
}
FAST = replace(evolve.LIMITS, call_s=30.0)


@pytest.fixture
def workload():
    """Three windows of two layers and eight experts, skewed and steady."""
    generator = np.random.default_rng(0)
    skew = generator.lognormal(sigma=1.5, size=(2, 8))
    loads = generator.poisson(1000 * skew, size=(3, 2, 8))
    return EvolutionWorkload("toy", loads, num_replicas=12, num_groups=1, num_nodes=1, num_gpus=4)


@pytest.fixture
def program(tmp_path):
    """Return a function that writes a program."""

    def write(body):
        path = tmp_path / "program.py"
        path.write_text(HEAD + body)
        return str(path)

    return write


def test_the_better_map_wins(program, workload):
    """The more balanced placement scores higher, and the numbers are consistent."""
    results = {
        name: evolve.evaluate(program(body), [workload], FAST) for name, body in PROGRAMS.items()
    }
    for numbers in results.values():
        assert set(numbers) == set(evolve.NUMBERS)
        assert 0 < numbers["speed_score"] < 1
        assert numbers["times_algorithm"] > 0
        share = 0.9 + 0.1 * numbers["speed_score"]
        assert numbers["combined_score"] == pytest.approx(numbers["balancedness_score_gpu"] * share)
        assert numbers["balancedness_score_expert"] <= 1
    assert results["good"]["balancedness_score_gpu"] > 0.9
    assert results["round"]["balancedness_score_gpu"] < 0.7


def test_balancedness_is_as_in_adrs(program, workload):
    """Balancedness is the sum of mean loads over the sum of maximum loads, on the next window."""
    numbers = evolve.evaluate(program(PROGRAMS["round"]), [workload], FAST, windows=1)
    # Experts are renumbered, so that only an upper bound can be computed by hand: the heaviest
    # expert has at most two replicas, so that a rank has at least half of its load.
    mean = workload.loads[1].sum(axis=1) / 4
    assert (
        numbers["balancedness_score_gpu"] <= mean.sum() / (workload.loads[1].max(axis=1) / 2).sum()
    )
    everywhere = replace(workload, num_replicas=32)
    full = f"    return {ROUND}\n"
    numbers = evolve.evaluate(program(full), [everywhere], FAST)
    assert numbers["balancedness_score_gpu"] == pytest.approx(1.0)
    expected = [load.mean(axis=1).sum() / load.max(axis=1).sum() for load in workload.loads[1:]]
    assert numbers["balancedness_score_expert"] == pytest.approx(np.mean(expected))


def test_a_fast_bad_map_cannot_win(program, workload, monkeypatch):
    """Speed is worth a tenth of the score, even for a program that takes no time."""
    slow = evolve.evaluate(program(PROGRAMS["good"]), [workload], FAST)
    monkeypatch.setattr(evolve, "reference_s", lambda load: 1e9)
    fast = evolve.evaluate(program(PROGRAMS["round"]), [workload], FAST)
    assert fast["speed_score"] == pytest.approx(1.0)
    assert fast["combined_score"] < slow["combined_score"]


CHEATS = {
    "zeros": (f"    return 0 * {ROUND}\n", "infeasible: layer 0 places no copy of expert"),
    "claims": (
        f"    table = {ROUND}\n"
        "    return table, np.zeros((layers, experts, 99), int), np.full((layers, experts), 99)\n",
        "infeasible: logcnt does not count what phy2log places",
    ),
    "raises": ("    raise KeyError(3)\n", "failed: KeyError: 3"),
    "exits": ("    import os; os._exit(3)\n", "failed: it exited with status 3"),
    "hangs": ("    while True: pass\n", r"failed: the call took longer than 0\.5 s"),
    "syntax": ("    return (\n", "failed: .*cannot be run: SyntaxError"),
    "second": (
        "    global asked\n    asked = globals().get('asked', 0) + 1\n"
        f"    return {ROUND} if asked < 2 else None\n",
        "infeasible: phy2log has dtype object",
    ),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_an_invalid_answer_scores_zero(cheat, program, workload):
    """All numbers are 0, with the reason, also if only the last answer is invalid."""
    body, reason = CHEATS[cheat]
    numbers = evolve.evaluate(program(body), [workload], replace(FAST, call_s=0.5))
    error = numbers.pop("error")
    assert re.match(reason, error), error
    assert numbers == dict.fromkeys(evolve.NUMBERS, 0.0)


def test_a_missing_file_is_the_callers_fault():
    """A missing file raises an error and is no score."""
    with pytest.raises(ValueError, match=r"program_path = 'nowhere\.py': there is no such file"):
        evolve.evaluate("nowhere.py")


def test_results_are_written_as_shinkaevolve_reads_them(program, workload, tmp_path, monkeypatch):
    """ShinkaEvolve gets two files: the numbers, and whether the program is correct."""
    monkeypatch.setattr(evolve, "default_workloads", lambda: (workload,))
    folder = tmp_path / "results"
    metrics = evolve.write_results(program(PROGRAMS["round"]), folder)
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert metrics["combined_score"] > 0
    assert metrics["public"]["balancedness_score_gpu"] > 0
    assert json.loads((folder / "correct.json").read_text()) == {"correct": True, "error": None}
    metrics = evolve.write_results(program("    return None\n"), folder)
    assert metrics["text_feedback"].startswith("infeasible")
    assert json.loads((folder / "correct.json").read_text())["correct"] is False
    assert len(list(folder.iterdir())) == 2

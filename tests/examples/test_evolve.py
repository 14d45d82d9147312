"""The example of evolutionary search runs as the frameworks run it, without a model."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "examples" / "evolve"


@pytest.fixture
def evaluator():
    """Load the evaluator's file as OpenEvolve loads it."""
    spec = importlib.util.spec_from_file_location("evaluation_module", FOLDER / "evaluator.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_openevolve_finds_what_it_asks_for(evaluator):
    """The stages of its cascade, and numbers alone in the answer."""
    found = evaluator.evaluate_stage1(str(FOLDER / "initial_program.py"))
    assert all(isinstance(value, float) for value in found.values()), found
    assert 0.5 < found["combined_score"] < found["balancedness_score_gpu"] < 1
    assert callable(evaluator.evaluate)
    assert callable(evaluator.evaluate_stage2)


def test_shinkaevolve_runs_it_as_a_script(tmp_path):
    """With the two arguments that it gives; a program that fails is not correct."""
    program = tmp_path / "program.py"
    program.write_text("def rebalance_experts(*_): raise KeyError\n")
    command = [sys.executable, str(FOLDER / "evaluator.py")]
    command += ["--program_path", str(program), "--results_dir", str(tmp_path / "results")]
    subprocess.run(command, check=True, capture_output=True)
    said = json.loads((tmp_path / "results" / "correct.json").read_text())
    assert said == {"correct": False, "error": "failed: KeyError:"}

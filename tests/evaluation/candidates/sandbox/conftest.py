"""Sandboxed programs from source text, and a small problem for them."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox import Limits, SandboxedSolver

FAST = Limits(call_s=30.0, total_s=60.0, start_s=60.0, memory_bytes=512 * 2**20, processes=8)


@pytest.fixture
def problem():
    """Two layers of eight experts on 4 ranks with 3 slots; a contiguous placement is loaded."""
    load = np.random.default_rng(0).integers(1, 1000, (2, 2, 8))
    asked = lb.Problem(load, num_ranks=4, slots_per_rank=3)
    return asked.replace(current=lb.solve(asked, "contiguous"))


@pytest.fixture
def program(tmp_path):
    """Return a function that creates a sandboxed solver from source text."""
    solvers = []

    def make(source, name="", limits=FAST, **options):
        file = tmp_path / f"program{len(solvers)}.py"
        file.write_text(source)
        solvers.append(SandboxedSolver(file, name, limits=limits, **options))
        return solvers[-1]

    yield make
    for solver in solvers:
        solver.close()

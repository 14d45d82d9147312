"""Speed of greedy and local search in every shape whose quality ``test_local_search.py`` asserts.

The yardstick of a group is ``numpy.argsort(load, axis=1)`` of the same float64 loads; the ratio
to its row is what counts. Run with ``pytest tests/benchmarks/test_solver_table.py``.
"""

import numpy as np
import pytest

import lb

LAWS = ("uniform", "zipf", "lognormal")
#: [layers, experts, ranks, slots per rank]: DeepSeek-V3, Kimi K2 and Qwen3-235B
SHAPES = [
    (58, 256, 32, 9),
    (58, 256, 64, 5),
    (60, 384, 64, 7),
    (94, 128, 32, 5),
    (58, 256, 320, 1),
    (58, 256, 72, 4),
]


def _load(law, layers, experts):
    generator = np.random.default_rng(0)
    if law == "uniform":
        return generator.uniform(size=(layers, experts))
    if law == "lognormal":
        return generator.lognormal(size=(layers, experts))
    return generator.permuted(np.tile(1 / np.arange(1, experts + 1), (layers, 1)), axis=1)


def _rows():
    for law in LAWS:
        for layers, experts, ranks, width in SHAPES:
            solvers = ["greedy", "local-search"] if width == 9 else ["local-search"]
            group = f"{layers}x{experts}, {ranks * width} slots on {ranks} ranks, {law}"
            for solver in ["argsort", *solvers]:
                name = f"{layers}x{experts}-{ranks * width}-{ranks}-{law}-{solver}"
                yield pytest.param(
                    law,
                    (layers, experts, ranks, width),
                    solver,
                    id=name,
                    marks=pytest.mark.benchmark(group=group),
                )


@pytest.mark.parametrize(("law", "shape", "solver"), list(_rows()))
def test_solve(benchmark, law, shape, solver):
    """A solver, checks of the answer included, or the yardstick."""
    layers, experts, ranks, width = shape
    load = _load(law, layers, experts)
    if solver == "argsort":
        benchmark(np.argsort, load, axis=1)
        return
    problem = lb.Problem(load, num_ranks=ranks, slots_per_rank=width)
    chosen = lb.make(solver)
    lb.solve(problem, chosen)  # compiles
    benchmark(lb.solve, problem, chosen)

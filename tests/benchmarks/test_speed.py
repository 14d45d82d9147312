"""Speed of the core at DeepSeek-V3 size, beside a yardstick measured in the same run.

The yardstick is ``numpy.argsort(load, axis=1)`` of the same [58, 256] float64 loads.
Run with ``pytest tests/benchmarks``; compare the columns with the row of the yardstick.
"""

import numpy as np
import pytest

import lb
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators

LOAD = np.random.default_rng(0).lognormal(size=(58, 256)) * 100
PROBLEM = lb.Problem(LOAD, num_ranks=32, slots_per_rank=9)


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks")
def test_yardstick_argsort(benchmark):
    """The yardstick itself."""
    benchmark(np.argsort, LOAD, axis=1)


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks")
@pytest.mark.parametrize("solver", lb.available())
def test_solve(benchmark, solver):
    """A solver, checks of the answer included."""
    chosen = lb.make(solver)
    lb.solve(PROBLEM, chosen)  # compiles
    if solver == "ilp":
        benchmark.pedantic(lb.solve, (PROBLEM, chosen), rounds=2)
    else:
        benchmark(lb.solve, PROBLEM, chosen)


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks, eight drifting windows")
@pytest.mark.parametrize("solver", ["argsort", "robust", "learned", "incremental", "xdeepserve"])
def test_plan_for_drift(benchmark, solver):
    """A solver that sees history, what is loaded and the optimal dispatcher; and the yardstick."""
    generator = np.random.default_rng(0)
    logs = [generator.normal(size=(58, 256))]
    for _ in range(7):
        logs.append(0.95 * logs[-1] + np.sqrt(1 - 0.95**2) * generator.normal(size=(58, 256)))
    windows = 1000 * np.exp(logs)
    if solver == "argsort":
        benchmark(np.argsort, windows[-1], axis=1)
        return
    before = lb.solve(lb.Problem(windows[-2], 32, 9), "local-search")
    problem = lb.Problem(windows, 32, 9, dispatcher="optimal", current=before)
    if solver == "incremental":  # what is loaded was fitted to the window before
        problem = problem.replace(forecast=windows[-1])
    chosen = lb.make(solver)
    lb.solve(problem, chosen)  # compiles
    benchmark.pedantic(lb.solve, (problem, chosen), rounds=3)


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks")
def test_evaluate_a_placement(benchmark):
    """Check a new slot map and compute its balancedness in all layers."""
    table = lb.solve(PROBLEM, "greedy").physical_to_logical
    benchmark(lambda: lb.Placement(table, 32).balancedness(LOAD))


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks")
def test_bound(benchmark):
    """The balancedness bound of all layers."""
    benchmark(lb.bounds.balancedness_bound, LOAD, 32, 9)


@pytest.mark.benchmark(group="58x256, 288 slots on 32 ranks")
def test_price_a_step(benchmark):
    """One decode step of DeepSeek-V3 at EP32, links contending."""
    executor = _executor(32, contention=True)
    placement = lb.solve(PROBLEM, "greedy")
    benchmark(executor.step, placement, LOAD, None, 2048)


@pytest.mark.benchmark(group="58x256, 288 slots on 288 ranks")
def test_price_a_step_at_ep288(benchmark):
    """One decode step of DeepSeek-V3 at EP288 by rank loads alone, dispatcher included."""
    executor = _executor(288, contention=False)
    placement = lb.solve(lb.Problem(LOAD, num_ranks=288, slots_per_rank=1), "greedy")
    even = lb.make_dispatcher("even")
    benchmark(lambda: executor.step(placement, LOAD, even(placement, LOAD), 17280))


@pytest.mark.benchmark(group="58x256, 288 slots on 288 ranks")
def test_yardstick_argsort_beside_ep288(benchmark):
    """The yardstick itself."""
    benchmark(np.argsort, LOAD, axis=1)


def _executor(ranks, *, contention):
    model = Model.preset("deepseek-v3")
    fabric = Fabric.preset("cloudmatrix384", ranks)
    operators = Operators(Device.preset("ascend-910c-die"), model)
    library = Library.preset("cann-ep")
    return StepExecutor(operators, Collectives(fabric, model, library, contention))


@pytest.mark.benchmark(group="CloudMatrix384, 768 dies")
def test_freeze_all_routes(benchmark):
    """Build the whole fabric and find the routes of all pairs."""
    benchmark.pedantic(lambda: Fabric.preset("cloudmatrix384").latency, rounds=3)


@pytest.mark.benchmark(group="CloudMatrix384, 768 dies")
def test_full_traffic_matrix(benchmark):
    """An all-to-all of arbitrary bytes between all pairs, routes frozen."""
    fabric = Fabric.preset("cloudmatrix384")
    bytes_sent = np.random.default_rng(0).random((768, 768))
    benchmark(fabric.all_to_all, bytes_sent)

"""Speed of the dispatchers at DeepSeek-V3 size, all 58 layers, beside the yardstick.

The yardstick is ``numpy.argsort(load, axis=1)`` of the same [58, 256] float64 loads.
Run with ``pytest tests/benchmarks``; a time over 58 is that of a layer.
"""

import numpy as np
import pytest

import lb

GENERATOR = np.random.default_rng(0)
LOAD = GENERATOR.poisson(200 * GENERATOR.lognormal(size=(58, 256))).astype(float)
PLACEMENT = lb.solve(lb.Problem(LOAD, num_ranks=32, slots_per_rank=9))


@pytest.mark.benchmark(group="58x256, dispatch over 288 slots on 32 ranks")
def test_yardstick_argsort(benchmark):
    """The yardstick itself."""
    benchmark(np.argsort, LOAD, axis=1)


@pytest.mark.benchmark(group="58x256, dispatch over 288 slots on 32 ranks")
@pytest.mark.parametrize("name", ["even", "local-first", "optimal", "rotate"])
def test_dispatch(benchmark, name):
    """The shares of one step, of every source rank for local-first; unchecked."""
    benchmark(lb.dispatch.configured(name, 8), PLACEMENT, LOAD)


@pytest.mark.benchmark(group="58x256, placement by nodes, 288 slots on 32 ranks")
@pytest.mark.parametrize("spill", [False, True])
def test_hierarchical(benchmark, spill):
    """Eight groups on four nodes, within their nodes and spilled."""
    problem = lb.Problem(LOAD, 32, 9, ranks_per_node=8, expert_groups=8)
    benchmark(lb.solve, problem, lb.make("hierarchical", spill=spill))


@pytest.mark.benchmark(group="58x256, placement by nodes, 288 slots on 32 ranks")
def test_affinity(benchmark):
    """Co-activation of eight communities."""
    community = GENERATOR.permuted(np.tile(np.arange(256) % 8, (58, 1)), axis=1)
    pairs = np.where(community[:, :, None] == community[:, None, :], 5.0, 1.0)
    pairs = pairs * LOAD[:, :, None] * LOAD[:, None, :] / LOAD.sum(axis=1)[:, None, None]
    problem = lb.Problem(LOAD, 32, 9, ranks_per_node=8, coactivation=pairs)
    benchmark.pedantic(lb.solve, args=(problem, lb.make("affinity")), rounds=3, warmup_rounds=1)

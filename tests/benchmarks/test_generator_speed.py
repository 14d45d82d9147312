"""Speed of generated counts and tokens in DeepSeek-V3's shape, beside numpy's own draws.

The yardstick draws as many counts, 128 steps of [58, 256], from ``Generator.poisson``, without
totals that add up. Run with ``pytest tests/benchmarks/test_generator_speed.py``; steps a second are
128 over the time of a row (of 4 096 steps for the rows of a stream).
"""

import collections

import numpy as np
import pytest

from traces import generators
from traces.generators import Law, fit, preset

SHAPE = {"layers": 58, "experts": 256, "top_k": 8}
STREAM = 4096


@pytest.mark.benchmark(group="counts of 128 steps, 58x256")
@pytest.mark.parametrize("mean", [4, 540, 2048])
def test_yardstick_poisson(benchmark, mean):
    """The yardstick itself."""
    generator = np.random.default_rng(0)
    benchmark.pedantic(generator.poisson, (mean, (128, 58, 256)), rounds=3)


def consume(law, steps):
    """Take all pieces and keep none."""
    collections.deque(generators.counts(law, steps), maxlen=0)


@pytest.mark.benchmark(group=f"streams of {STREAM} steps, 58x256")
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("still", {}),
        ("drift", {"drift_sigma": 0.5}),
        ("drift, noise", {"drift_sigma": 0.5, "noise": 0.1}),
        ("drift, 3 domains", {"drift_sigma": 0.5, "domains": 3, "affinity": 0.5, "mix_sigma": 0.3}),
        ("drift, 17,280 tokens", {"drift_sigma": 0.5, "step_tokens": 17_280}),
    ],
)
def test_stream(benchmark, name, changes):
    """Pieces of a trace, checks of RoutingTrace included; 65,536 tokens a step unless stated."""
    law = Law(**SHAPE, **changes)
    consume(law, 1)  # compiles
    benchmark.pedantic(consume, (law, STREAM), rounds=5)


@pytest.mark.benchmark(group="streams of 512 steps of 128 tokens, 58x256")
def test_stream_of_small_steps(benchmark):
    """Every count by inversion: mean 4."""
    law = Law(**SHAPE, step_tokens=128, drift_sigma=0.5)
    consume(law, 1)
    benchmark.pedantic(consume, (law, 512), rounds=3)


@pytest.mark.benchmark(group="1,000 tokens of 58 layers")
@pytest.mark.parametrize("name", ["deepseek-v3-decode", "tensorrt-llm-ep32"])
def test_tokens(benchmark, name):
    """Token by token, with and without groups."""
    law = preset(name).replace(step_tokens=1000)
    next(generators.tokens(law, 1))
    benchmark.pedantic(lambda: next(generators.tokens(law, 1)), rounds=3)


@pytest.mark.benchmark(group="fit of 256 steps, 58x256")
def test_fit(benchmark):
    """A law of a recording of 256 steps."""
    trace = generators.trace(preset("tensorrt-llm-ep32").replace(noise=0.1), 256)
    benchmark.pedantic(fit, (trace,), rounds=2)

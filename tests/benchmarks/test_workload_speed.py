"""Speed of composed steps in DeepSeek-V3's shape and of recorded tokens, beside a yardstick.

4,608 running sequences. The yardstick of laws draws as many counts, 256 steps of [58, 256], from
``Generator.poisson``; that of recordings adds up as many cells, 156 of each of 4,608 tokens in 256
steps, with ``numpy.bincount``. Run with ``pytest tests/benchmarks/test_workload_speed.py`` and read
ratios within one run: steps a second are the steps of a row over its time.
"""

import functools

import numpy as np
import pytest

import traces
from traces import RequestTrace
from traces.arrivals import PoissonArrivals
from traces.generators import loads, preset
from traces.lengths import LogNormalLengths
from traces.workload import (
    ContinuousBatching,
    DomainSchedule,
    LawRouting,
    RecordedRouting,
    Workload,
    load_routing,
)
from traces.workload.composer import Composer

SEQUENCES = 4608
TASKS = ("intent", "summary", "translation")
#: Steps of one chunk.
STEPS = 256


@functools.cache
def requests(output=1000):
    """Enough requests to keep the batch full: 120 a second for 1,000 tokens of 50 ms each."""
    count = 40_000_000 // output
    columns = LogNormalLengths(1000, output, seed=2)(count)
    return RequestTrace(PoissonArrivals(120_000 / output, 1)(count), *columns)


@functools.cache
def workload(routing):
    """A full batch under a routing."""
    law = preset("tensorrt-llm-ep32")
    made = {
        "law": lambda: LawRouting(law),
        "deepseek-r1": lambda: load_routing(loads.preset("deepseek-r1")),
        "recorded": lambda: RecordedRouting({t: traces.load(f"dsv2lite-{t}") for t in TASKS}),
    }[routing]()
    stream = requests()
    if routing == "recorded":
        stream = DomainSchedule([(0.0, dict.fromkeys(TASKS, 1))])(stream)
    return Workload(stream, made, ContinuousBatching(SEQUENCES), start_s=100.0)


def warm(iterator):
    """An iterator whose first item is taken: what is compiled and loaded once is."""
    next(iterator)
    return iterator


@pytest.mark.benchmark(group=f"{STEPS} steps, 58x256, 4,608 sequences")
def test_yardstick_poisson(benchmark):
    """The yardstick of laws: mean 144."""
    generator = np.random.default_rng(0)
    benchmark.pedantic(generator.poisson, (144, (STEPS, 58, 256)), rounds=3)


@pytest.mark.benchmark(group=f"{STEPS} steps, 58x256, 4,608 sequences")
@pytest.mark.parametrize("routing", ["law", "deepseek-r1"])
def test_steps_of_a_law(benchmark, routing):
    """One chunk of a stream, composing included."""
    steps = warm(workload(routing).steps())
    part = benchmark.pedantic(next, (steps,), rounds=10)
    assert part.counts.shape == (STEPS, 58, 256)
    assert part.sequences.min() > 0.9 * SEQUENCES


@pytest.mark.benchmark(group="windows of 3,000 steps, 58x256, 16 steps sampled")
@pytest.mark.parametrize("routing", ["law", "deepseek-r1"])
def test_windows_of_a_law(benchmark, routing):
    """A window: its sum at once, and the sample."""
    windows = warm(workload(routing).windows(window_steps=3000))
    window = benchmark.pedantic(next, (windows,), rounds=3)
    assert window.num_steps == 3000


@pytest.mark.benchmark(group=f"{STEPS} steps, 26x64, 4,608 sequences")
def test_yardstick_bincount(benchmark):
    """The yardstick of recordings: as many cells."""
    cells = np.random.default_rng(0).integers(26 * 64, size=SEQUENCES * 26 * 6)

    def add():
        for _ in range(STEPS):
            np.bincount(cells, minlength=26 * 64)

    benchmark.pedantic(add, rounds=2)


@pytest.mark.benchmark(group=f"{STEPS} steps, 26x64, 4,608 sequences")
def test_steps_of_recorded_tokens(benchmark):
    """One chunk of walks along recorded sequences."""
    steps = warm(workload("recorded").steps())
    part = benchmark.pedantic(next, (steps,), rounds=5)
    assert part.counts.shape == (STEPS, 26, 64)


@pytest.mark.benchmark(group="batching alone")
def test_batching(benchmark):
    """200,000 requests of 200 tokens into steps, without routing."""

    def whole():
        composer = Composer(requests(200), ContinuousBatching(SEQUENCES))
        steps = 0
        while (part := composer.take(256)) is not None:
            steps += part.num_steps
        return steps

    assert benchmark.pedantic(whole, rounds=3) > 1000

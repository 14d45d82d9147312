"""Speed of a step's price in a serving simulation, beside a yardstick measured in the same run.

The yardstick is ``numpy.argsort`` of [58, 256] float64 along the experts, as in ``test_speed.py``.
DeepSeek-V3, 60 sequences a die with one draft each. "uniform" draws nothing and shows the price
alone; the rows of the law include drawing the experts of 34,560 (15,360) tokens of 288 conditions.
"""

import functools

import numpy as np
import pytest

import lb
from evaluation.serving.pricing.colocated import ColocatedPrice
from evaluation.serving.pricing.disaggregated import DisaggregatedPrice
from evaluation.serving.pricing.work import Work
from evaluation.step.disaggregated import Disaggregated
from evaluation.step.executor import StepExecutor
from hardware import Collectives, Device, Fabric, Library, Model, Operators
from hardware.faults import Jitter
from traces.generators import loads
from traces.workload import load_routing
from traces.workload.even_routing import EvenRouting
from traces.workload.step_draws import StepRouting

MODEL = Model.preset("deepseek-v3")
OPERATORS = Operators(Device.preset("ascend-910c-die"), MODEL)
_fabric = functools.cache(Fabric.preset)


@functools.cache
def _load(name):
    if name == "uniform":
        return StepRouting(EvenRouting(58, 256, 8))
    return StepRouting(load_routing(loads.preset(name)))


def _collectives(ranks, contention):
    fabric = _fabric("cloudmatrix384", ranks)
    return Collectives(fabric, MODEL, Library.preset("xccl"), contention)


def _placement(ranks, slots):
    return lb.Placement(np.tile(np.arange(slots) % 256, (58, 1)), ranks)


def _work(groups, load, sequences=60.0):
    one, conditions = np.ones(groups), load.num_conditions
    whole = round(2 * sequences * groups)
    each = np.full(conditions, whole // conditions)
    each[: whole % conditions] += 1
    return Work(0 * one, 0 * one, sequences * one, 3072 * sequences * one, each)


@pytest.mark.benchmark(group="price of a step, 58x256")
def test_yardstick_argsort(benchmark):
    """The yardstick itself."""
    benchmark(np.argsort, np.random.default_rng(0).random((58, 256)), axis=1)


@pytest.mark.benchmark(group="price of a step, 58x256")
@pytest.mark.parametrize("contention", [False, True], ids=["no-links", "links"])
@pytest.mark.parametrize("sigma", [0.0, 0.035], ids=["calm", "jitter"])
@pytest.mark.parametrize("name", ["uniform", "deepseek-r1"])
@pytest.mark.parametrize(("ranks", "slots"), [(288, 288), (128, 384)])
def test_colocated(benchmark, ranks, slots, name, sigma, contention):
    """One call."""
    load = _load(name).draws()
    jitter = Jitter(sigma) if sigma else None
    collectives = _collectives(ranks, contention)
    executor = StepExecutor(OPERATORS, collectives, 3072.0, "decode", 1, jitter)
    price = ColocatedPrice(executor, _placement(ranks, slots), load, ranks)
    work = _work(ranks, load)
    price(work)  # compiles
    benchmark(price, work)


@pytest.mark.benchmark(group="price of a step, 58x256")
@pytest.mark.parametrize("sigma", [0.0, 0.035], ids=["calm", "jitter"])
def test_disaggregated(benchmark, sigma):
    """One call: three domains of 160 dies, two micro-batches each, 288 expert dies."""
    load = _load("uniform").draws()
    machine = Disaggregated(
        OPERATORS,
        _collectives(32, False),
        3,
        160,
        288,
        drafts=1,
        jitter=Jitter(sigma) if sigma else None,
    )
    price = DisaggregatedPrice(machine, _placement(288, 288), load)
    work = _work(480, load, 96.0)
    price(work)  # compiles
    benchmark(price, work)

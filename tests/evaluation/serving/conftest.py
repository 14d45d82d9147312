"""One small simulation written by hand, and a small deployment."""

import numpy as np
import pytest

from evaluation.serving.engine.request_log import RequestLog
from evaluation.serving.engine.sample_log import ExecutorState, SampleLog
from evaluation.serving.engine.step_log import StepLog
from evaluation.serving.engine.step_totals import StepTotals
from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.pricing.work import Cost
from evaluation.serving.results.result import Result
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from hardware import Fabric
from lb import Placement
from traces import RequestTrace

EXECUTORS = ("prefill 0", "decode 0")


@pytest.fixture
def log():
    """Four requests until 9 s: one of a single token, a finished one, one in flight, one to come.

    TTFT 0.5, 1 and 0.5 s; TPOT 0.5 s of the second.
    """
    log = RequestLog(RequestTrace([0.0, 1.0, 2.0, 10.0], [100, 200, 300, 400], [1, 3, 5, 4]))
    log.prefill_start_s[:3] = 0.25, 1.5, 2.0
    log.first_token_s[:3] = 0.5, 2.0, 2.5
    log.second_token_s[1:3] = 2.5, 4.0
    log.finish_s[:2] = 0.5, 3.0
    log.generated[:3] = 1, 3, 2
    log.prefill_executor[:3] = log.prefill_group[:3] = 0
    log.decode_executor[1:3] = 1
    log.decode_group[1:3] = 0, 1
    log.transfers_s[1:3] = 0.125
    log.preemptions[2] = 2
    log.recomputed_tokens[2] = 301
    return log


@pytest.fixture
def samples():
    """Prefill has 2 waiting for 3 s, then none; decode runs 1, then 2, then 1 at 3, 6 and 9 s."""
    samples = SampleLog(EXECUTORS)
    samples.add(0.0, 0, ExecutorState(2, 0, 0, 1000))
    totals = StepTotals(steps=2, tokens=3, busy_s=1.5, dp_imbalance=2.0)
    samples.add(3.0, 0, ExecutorState(0, 0, 500, 1000), totals)
    for time_s, running in ((3.0, 1), (6.0, 2), (9.0, 1)):
        samples.add(
            time_s,
            1,
            ExecutorState(0, running, 100 * running, 400),
            StepTotals(
                steps=4,
                tokens=1,
                busy_s=2.0,
                barrier_idle_s=0.5,
                attention_max_s=0.75,
                attention_mean_s=0.5,
                experts_max_s=0.5,
                experts_mean_s=0.25,
                communication_s=0.5,
                dp_imbalance=5.0,
            ),
        )
    return samples


@pytest.fixture
def steps():
    """One prefill step, two decode steps and a transfer between, in the range of 2 to 4 s."""
    steps = StepLog(2.0, 4.0)
    steps.add(0, 2.0, Cost(0.5, 0.2, 0.2, 0.1, 0.1, 0.1), 300, 0)
    steps.add_transfer(2, 0, 1, 2.5, 2.75)
    steps.add(1, 2.75, Cost(0.5, 0.15, 0.1, 0.15, 0.05, 0.1), 0, 2)
    steps.add(1, 3.25, Cost(0.25, 0.1, 0.1, 0.1, 0.1, 0.05), 0, 1)
    return steps


@pytest.fixture
def result(log, samples, steps):
    """The whole of it, under an SLO that the first request keeps and the second does not."""
    slo = Slo(1.0, 0.25)
    summary = summarise(log, samples, slo, 4, 9.0)
    scenario = {"seed": 0, "deployment": {"prefill": 1, "decode": 1}}
    return Result("by hand", log, samples, steps, summary, 0.5, EXECUTORS, slo, scenario)


@pytest.fixture(scope="session")
def fabric():
    """Two nodes of CloudMatrix384."""
    return Fabric.preset("cloudmatrix384", 32)


@pytest.fixture
def decode(fabric):
    """32 colocated dies, as many DP groups, one expert a die and no replica but of expert 0."""
    table = np.array([[*range(31), 0]])
    return ExecutorDies("decode-0", "decode", 32, 16, 32, None, Placement(table, 32), fabric=fabric)


@pytest.fixture
def apart():
    """Eight dies of attention in four DP groups, and four dies with six experts, 0 and 1 twice."""
    placement = Placement([[0, 1, 2, 3, 4, 5, 0, 1]], 4)
    return ExecutorDies("decode-0", "decode", 12, 4, 4, 8, placement)


@pytest.fixture
def prefills():
    """Two prefill executors of sixteen dies, four DP groups each."""
    return [ExecutorDies(f"prefill-{number}", "prefill", 16, 16, 4) for number in range(2)]

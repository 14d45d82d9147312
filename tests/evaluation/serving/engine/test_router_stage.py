"""A stage of the job executor: nothing overtakes a request that its router holds."""

import numpy as np
import pytest
import simpy

from evaluation.serving.engine.executor_setup import ExecutorSetup, GroupSchedulers
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.router_stage import DecodeStage, PrefillStage
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.engine.token_conditions import all_alike
from schedulers.batch.fcfs import fcfs
from schedulers.decode.mask_least_kv import mask_least_kv
from schedulers.prefill.two_level import two_level
from schedulers.views import HOLD
from tests.evaluation.serving.small import Linear, Part
from traces import RequestTrace


class Gate:
    """Router that gives requests to worker 1 while it is open, and remembers what it saw."""

    def __init__(self):
        self.open, self.seen = True, []

    def __call__(self, requests, workers):
        """Assign all, or hold all."""
        self.seen.append(workers)
        return np.full(len(requests), 1 if self.open else HOLD)


@pytest.fixture
def gate():
    """An open gate."""
    return Gate()


@pytest.fixture
def requests():
    """Three requests of 10 prompt and 5 output tokens."""
    trace = RequestTrace([0.0] * 3, [10] * 3, [5] * 3)
    return RequestState(trace, trace.output_tokens.astype(np.int64), all_alike(trace))


def executors(requests, groups=2):
    """Return two executors of both roles."""
    env, shape = simpy.Environment(), Part("both", groups=groups).shape(0)
    schedulers = GroupSchedulers(two_level, mask_least_kv, fcfs)
    setup = ExecutorSetup(shape, Linear(), schedulers, np.random.default_rng(0))
    return [TaskExecutor(env, number, setup, requests) for number in (0, 1)]


def test_a_request_goes_to_the_executor_that_the_router_names(requests, gate):
    """Workers are the executors in their order."""
    both = executors(requests)
    assert PrefillStage(both, gate, requests, 0.0).route(0, 0.0) is both[1]


def test_nothing_overtakes_the_backlog(requests, gate):
    """A later request joins the backlog unasked, also once the router would assign it."""
    stage = PrefillStage(executors(requests), gate, requests, 0.0)
    gate.open = False
    assert stage.route(0, 0.0) is None
    gate.open = True
    assert stage.route(1, 0.0) is None
    assert stage.backlog == [0, 1]
    assert [request for request, _ in stage.retry(1.0)] == [0, 1]
    assert stage.backlog == []


def test_retry_ends_with_the_first_request_that_is_held(requests, gate):
    """Those behind it keep their places."""
    stage = PrefillStage(executors(requests), gate, requests, 0.0)
    gate.open = False
    for request in range(3):
        stage.route(request, 0.0)
    gate.open = True
    for _ in stage.retry(1.0):
        gate.open = False
    assert stage.backlog == [1, 2]


def test_withdrawn_requests_leave_the_backlog(requests, gate):
    """All others stay, in their order."""
    stage = DecodeStage(executors(requests), gate, requests, 0.0)
    gate.open = False
    for request in range(3):
        stage.route(request, 0.0)
    stage.withdraw([1])
    assert stage.backlog == [0, 2]


def test_a_router_of_prompts_sees_sums_over_groups(requests, gate):
    """Two requests that joined executor 1 wait with 10 prompt tokens each."""
    both = executors(requests)
    stage = PrefillStage(both, gate, requests, 0.0)
    for request in (0, 1, 2):
        stage.route(request, 0.0).join_prefill(request)
    last = gate.seen[-1]
    assert (last.waiting.tolist(), last.waiting_tokens.tolist()) == ([0, 2], [0, 20])


def test_a_router_of_decode_sees_pending_requests(requests, gate):
    """Each of two that have no group yet needs 10 tokens, and 5 more are expected."""
    both = executors(requests)
    for request in (0, 1):
        both[1].decode.pending.append(request)
    view = DecodeStage(both, gate, requests, 0.0).workers()
    assert (view.waiting.tolist(), view.kv_reserved.tolist()) == ([0, 2], [0, 30])
    assert view.request_limit.tolist() == [128, 128]  # 64 for each of two groups

"""A task executor without a system: what it does in a step, and the events that it returns."""

import numpy as np
import simpy

from evaluation.serving.engine.events import (
    CapacityFreed,
    PromptFinished,
    RequestFinished,
    RequestPreempted,
    TransferRequested,
)
from evaluation.serving.engine.executor_setup import ExecutorSetup, GroupSchedulers
from evaluation.serving.engine.request_state import RequestState
from evaluation.serving.engine.task_executor import TaskExecutor
from evaluation.serving.engine.token_conditions import all_alike
from schedulers.batch.fcfs import fcfs
from schedulers.decode.mask_least_kv import mask_least_kv
from schedulers.prefill.two_level import two_level
from tests.evaluation.serving.small import Linear, Part
from traces import RequestTrace


def executor_of(part, prompts, outputs):
    """Return an executor whose requests have these lengths."""
    trace = RequestTrace([0.0] * len(prompts), prompts, outputs)
    requests = RequestState(trace, trace.output_tokens.astype(np.int64), all_alike(trace))
    setup = ExecutorSetup(
        part.shape(0),
        Linear(),
        GroupSchedulers(two_level, mask_least_kv, fcfs),
        np.random.default_rng(0),
    )
    return TaskExecutor(simpy.Environment(), 0, setup, requests)


def step(executor):
    """Begin and end a step; return its events."""
    return list(executor.end_step(executor.begin_step()))


def decoding(executor, *requests):
    """Let requests generate whose prompts were computed elsewhere."""
    for request in requests:
        executor.requests.finish_prompt(request, 9, 0, 0.0)
        (transfer,) = executor.join_decode(request)
        executor.receive_cache(transfer.request, transfer.group)


def test_an_idle_executor_begins_no_step():
    """Without prompts and sequences there is nothing to price."""
    assert executor_of(Part("both"), [1], [1]).begin_step() is None


def test_a_finished_prompt_leaves_a_prefill_executor():
    """Its memory, 10 tokens and the next one, is held until the cache has been fetched."""
    executor = executor_of(Part("prefill", step_tokens=64), [10], [5])
    executor.join_prefill(0)
    assert step(executor) == [PromptFinished(0), CapacityFreed()]
    assert executor.memory.prompts.tolist() == [11]
    executor.release_prompt(0, 0)
    assert executor.memory.prompts.tolist() == [0]


def test_a_prompt_with_one_output_token_finishes_its_request():
    """The token that the prompt makes is its last one, and no memory is held."""
    executor = executor_of(Part("prefill", step_tokens=64), [10], [1])
    executor.join_prefill(0)
    assert step(executor) == [RequestFinished(0), CapacityFreed()]
    assert not executor.memory.used.any()


def test_an_executor_of_both_roles_goes_on_with_its_own_prompts():
    """It raises no event for the prompt, and generates in the next step."""
    executor = executor_of(Part("both", step_tokens=64), [10], [2])
    executor.join_prefill(0)
    assert step(executor) == [CapacityFreed()]
    assert step(executor) == [RequestFinished(0), CapacityFreed()]


def test_a_cache_is_fetched_once_a_sequence_has_made_place():
    """A batch of one sequence defers the next request; it is asked for at the end of the first."""
    executor = executor_of(Part("decode", batch_limit=1), [10, 10], [2, 2])
    decoding(executor, 0)
    executor.decode.assigner.router = lambda requests, workers: np.zeros(len(requests), dtype=int)
    executor.requests.finish_prompt(1, 9, 0, 0.0)
    assert executor.join_decode(1) == []
    assert step(executor) == [RequestFinished(0), TransferRequested(1, 0), CapacityFreed()]


def test_sequences_are_preempted_one_at_a_time():
    """The second is preempted only after the first has been handled, as routers see memory then.

    A step leaves three sequences with 11 tokens each, but the group has 21: two have to go.
    """
    executor = executor_of(Part("decode", kv_capacity=40), [10] * 3, [5] * 3)
    decoding(executor, 0, 1, 2)
    executor.memory.capacity[:] = 21
    events = executor.end_step(executor.begin_step())
    assert isinstance(next(events), RequestPreempted)
    assert executor.memory.used.tolist() == [22]
    assert isinstance(next(events), RequestPreempted)
    assert executor.memory.used.tolist() == [11]
    assert list(events) == [CapacityFreed()]


def test_a_failed_group_returns_all_its_requests():
    """Running ones are computed again; those on their way go elsewhere with their cache."""
    executor = executor_of(Part("decode"), [10] * 2, [5] * 2)
    decoding(executor, 0)
    executor.requests.finish_prompt(1, 9, 0, 0.0)
    executor.join_decode(1)
    assert executor.fail_group(0) == ([0], [1])
    assert not executor.memory.used.any()
    assert not executor.decode.expected.any()

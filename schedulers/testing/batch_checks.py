"""Conformance checks of batch policies. Each states a claim and raises AssertionError if false."""

from collections.abc import Callable, Iterator

import numpy as np

from schedulers.protocols import BatchPolicy
from schedulers.testing import same_answers
from schedulers.testing.instances import QUEUES
from schedulers.testing.same_answers import ask
from schedulers.views import Ints, Queue


def _answers(policy: BatchPolicy) -> Iterator[tuple[str, Queue, int, Ints]]:
    for name, make in QUEUES.items():
        queue, step_tokens = make()
        yield name, queue, step_tokens, ask(policy, (queue, step_tokens), name)


def check_within_prompts(policy: BatchPolicy) -> None:
    """Demand 0 to ``left_tokens`` int64 tokens of each prompt."""
    for name, queue, _, tokens in _answers(policy):
        bad = (tokens < 0) | (tokens > queue.left_tokens)
        assert not bad.any(), (
            f"{name}: {tokens[bad][0]} tokens of a prompt with {queue.left_tokens[bad][0]} left"
        )


def check_within_step(policy: BatchPolicy) -> None:
    """Demand that prompts and decoding fit the step, but for one whole prompt alone."""
    for name, queue, step_tokens, tokens in _answers(policy):
        free = max(step_tokens - queue.decoding, 0)
        computed = np.flatnonzero(tokens)
        whole = len(computed) == 1 and (tokens == queue.left_tokens)[computed].all() and free > 0
        assert tokens.sum() <= free or whole, (
            f"{name}: {tokens.sum()} tokens > {free}, which decoding leaves of {step_tokens}"
        )


def check_progress(policy: BatchPolicy) -> None:
    """Demand at least one token where a prompt waits and decoding leaves free tokens."""
    for name, queue, step_tokens, tokens in _answers(policy):
        if len(queue) and queue.decoding < step_tokens:
            assert tokens.any(), f"{name}: nothing is computed though a prompt waits"


def check_finishes_all(policy: BatchPolicy) -> None:
    """Demand that step after step every prompt is finished, where none joins."""
    for name, make in QUEUES.items():
        queue, step_tokens = make()
        if queue.decoding >= step_tokens:
            continue
        left, waited, started = queue.left_tokens, queue.waited_s, queue.started
        for _ in range(int(left.sum()) + 1):
            if not len(left):
                break
            now = Queue(left, waited, started, queue.decoding)
            tokens = ask(policy, (now, step_tokens), name)
            left, started, waited = left - tokens, started | (tokens > 0), waited + 0.1
            left, started, waited = left[left > 0], started[left > 0], waited[left > 0]
        assert not len(left), f"{name}: {len(left)} prompts are never finished"


def check_no_starvation(policy: BatchPolicy) -> None:
    """Demand that a long prompt is finished though short ones join at every step."""
    step_tokens, seconds, steps = 1_000, 0.5, 300
    left, age, started = np.array([4_000]), np.zeros(1), np.zeros(1, dtype=np.bool_)
    oldest = 4_000
    for step in range(steps):
        left = np.append(left, [500, 500])
        age, started = np.append(age, [0.0, 0.0]), np.append(started, [False, False])
        tokens = ask(policy, (Queue(left, age, started), step_tokens), f"step {step}")
        oldest -= int(tokens[0])
        if not oldest:
            return
        stays = tokens < left
        left, age, started = (
            (left - tokens)[stays],
            age[stays] + seconds,
            (started | (tokens > 0))[stays],
        )
    raise AssertionError(
        f"a prompt of 4,000 tokens waits after {steps} steps of 1,000, as 2 x 500 join at each"
    )


def check_policy_keeps_input(policy: BatchPolicy) -> None:
    """Demand that the queue is left as it was."""
    same_answers.assert_input_kept(policy, QUEUES)


def check_policy_stateless(policy: BatchPolicy) -> None:
    """Demand that what was asked before changes no answer."""
    same_answers.assert_no_state(policy, QUEUES)


def check_policy_deterministic(policy: BatchPolicy) -> None:
    """Demand equal answers to equal questions, whatever the global random state."""
    same_answers.assert_deterministic(policy, QUEUES)


def check_policy_pickles(policy: BatchPolicy) -> None:
    """Demand that a pickled and restored policy answers like the original."""
    same_answers.assert_pickles(policy, QUEUES)


#: All checks by name, in the order they run.
BATCH_CHECKS: dict[str, Callable[[BatchPolicy], None]] = {
    check.__name__: check
    for check in (
        check_within_prompts,
        check_within_step,
        check_progress,
        check_finishes_all,
        check_no_starvation,
        check_policy_keeps_input,
        check_policy_stateless,
        check_policy_deterministic,
        check_policy_pickles,
    )
}

"""Deliberately broken batch policies fail the check that is meant for them."""

import numpy as np
import pytest

from schedulers.batch.chunked import chunked
from schedulers.batch.shortest_first import ShortestFirst
from schedulers.testing import BATCH_CHECKS, check_batch_policy
from schedulers.views import Queue


def computes_more_than_is_left(queue, step_tokens):
    """Pad the first prompt to the whole step."""
    tokens = chunked(queue, step_tokens)
    tokens[:1] = max(step_tokens - queue.decoding, 0)
    return tokens


def computes_below_nothing(queue, step_tokens):
    """Forget that decoding may overfill the step."""
    free = step_tokens - queue.decoding
    return np.minimum(free - np.cumsum(queue.left_tokens) + queue.left_tokens, queue.left_tokens)


def forgets_decoding(queue, step_tokens):
    """Give prompts the whole step."""
    return chunked(Queue(queue.left_tokens, queue.waited_s, queue.started), step_tokens)


def waits_for_whole_prompts(queue, step_tokens):
    """Compute only what fits whole, so that a long prompt blocks for ever."""
    fits = np.cumsum(queue.left_tokens) <= step_tokens - queue.decoding
    return np.where(fits, queue.left_tokens, 0)


def ignores_long_prompts(queue, step_tokens):
    """Compute no prompt above 4,500 tokens while others wait."""
    short = queue.left_tokens <= 4_500
    tokens = np.zeros(len(queue), dtype=np.int64)
    chosen = Queue(
        queue.left_tokens[short], queue.waited_s[short], queue.started[short], queue.decoding
    )
    tokens[short] = chunked(chosen, step_tokens)
    return tokens


def ages_in_place(queue, step_tokens):
    """Write to the queue."""
    queue.waited_s[:] += 1
    return chunked(queue, step_tokens)


def uses_global_randomness(queue, step_tokens):
    """Draw, without effect on the answer."""
    np.random.random()  # noqa: NPY002
    return chunked(queue, step_tokens)


class Counting:
    """Count calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, queue, step_tokens):
        """Answer rightly, and count."""
        self.calls += 1
        return chunked(queue, step_tokens)


class Unpicklable:
    """Hold what pickle cannot store."""

    def __init__(self):
        self.chosen = lambda: 0

    def __call__(self, queue, step_tokens):
        """Answer rightly."""
        return chunked(queue, step_tokens)


@pytest.mark.parametrize(
    ("policy", "check"),
    [
        (computes_more_than_is_left, "check_within_prompts"),
        (computes_below_nothing, "check_within_prompts"),
        (forgets_decoding, "check_within_step"),
        (lambda q, s: q.left_tokens.copy(), "check_within_step"),
        (lambda q, s: np.zeros(len(q), dtype=np.int64), "check_progress"),
        (waits_for_whole_prompts, "check_progress"),
        (waits_for_whole_prompts, "check_finishes_all"),
        (ignores_long_prompts, "check_finishes_all"),
        (ShortestFirst(aging_tokens_per_s=0), "check_no_starvation"),
        (lambda q, s: q.left_tokens, "check_policy_keeps_input"),
        (ages_in_place, "check_policy_keeps_input"),
        (uses_global_randomness, "check_policy_deterministic"),
        (Counting(), "check_policy_stateless"),
        (Unpicklable(), "check_policy_pickles"),
    ],
)
def test_broken_policies_fail(policy, check):
    """The check that makes this claim fails, and the list of checks has it."""
    with pytest.raises(AssertionError):
        BATCH_CHECKS[check](policy)
    with pytest.raises(AssertionError, match=check):
        check_batch_policy(policy)


def test_every_check_can_fail():
    """Each check is named by a broken policy above."""
    marks = test_broken_policies_fail.pytestmark[0]
    assert {check for _, check in marks.args[1]} == set(BATCH_CHECKS)


def test_pure_shortest_first_fails_by_starvation_alone():
    """Without ageing it conforms but for the prompt that short ones overtake for ever."""
    with pytest.raises(AssertionError) as failed:
        check_batch_policy(ShortestFirst(aging_tokens_per_s=0))
    assert str(failed.value).count("failed:") == 1

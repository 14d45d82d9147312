"""One pool, dealt out by a cost model."""

from dataclasses import replace

import numpy as np
import pytest

from schedulers.prefill.collaborative import Collaborative
from schedulers.testing.instances import asked, idle
from schedulers.views import HOLD

LINEAR = Collaborative(seconds_per_token=1.0, seconds_per_pair=0.0)


def test_longest_goes_first():
    """7 6 5 4 on two groups: 7 + 4 and 6 + 5, whatever order they came in."""
    for order in ([4, 5, 6, 7], [7, 4, 6, 5]):
        answer = LINEAR(asked(order), idle(2))
        by_length = dict(zip(order, answer.tolist(), strict=True))
        assert by_length[7] == by_length[4] != by_length[6] == by_length[5]


def test_attention_grows_with_the_square():
    """One of 100 weighs as much as ten of 10 by length, and more by pairs."""
    requests = asked([100] + [10] * 12)
    linear = LINEAR(requests, idle(2, limit=50))
    square = replace(LINEAR, seconds_per_token=0.0, seconds_per_pair=1.0)
    beside = square(requests, idle(2, limit=50))
    assert (linear == linear[0]).sum() == 2
    assert (beside == beside[0]).sum() == 1


def test_hits_are_counted_in():
    """A group that has the prefix finishes sooner, until its queue is longer than the hit."""
    requests = asked([1_000], cached_tokens=np.array([[0, 600]]))
    for queue, chosen in ((599, 1), (601, 0)):
        workers = replace(idle(2), waiting_tokens=np.array([0, queue]))
        assert LINEAR(requests, workers).tolist() == [chosen]


def test_no_more_than_a_step_is_dealt_out():
    """Two groups of 100 tokens take the oldest 200; the others wait for the next decision."""
    router = replace(LINEAR, step_tokens=100)
    assert (router(asked([50] * 6), idle(2)) == HOLD).tolist() == [False] * 4 + [True] * 2
    full = replace(idle(2), waiting_tokens=np.array([100, 120]))
    assert (router(asked([50]), full) == HOLD).all()


def test_a_long_prompt_leaves_the_other_groups_their_step():
    """A prompt of ten steps keeps one group busy, and the three others are served as well."""
    answer = replace(LINEAR, step_tokens=100)(asked([1_000, 100, 100, 100, 100]), idle(4))
    assert sorted(answer.tolist()) == [HOLD, 0, 1, 2, 3]
    assert answer[4] == HOLD


def test_one_that_fits_nowhere_does_not_block_the_pool():
    """The oldest waits for cache; the step goes to those behind it."""
    router = replace(LINEAR, step_tokens=100)
    assert router(asked([5_000, 90]), idle(1, capacity=1_000)).tolist() == [HOLD, 0]


@pytest.mark.parametrize("step_tokens", [100, 150])
def test_a_short_prompt_is_not_starved_by_longer_ones(step_tokens):
    """The oldest is always among those dealt out, although longer ones go first."""
    router = replace(LINEAR, step_tokens=step_tokens)
    assert router(asked([1] + [5_000] * 9), idle(2))[0] != HOLD


def test_requests_are_pooled():
    """The task executor asks before every step."""
    assert Collaborative.pooled
    assert Collaborative().pooled

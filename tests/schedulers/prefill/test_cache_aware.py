"""The DP group that would have the least left to compute."""

from dataclasses import replace

import numpy as np

from schedulers.prefill.cache_aware import CacheAware
from schedulers.testing.instances import asked, idle


def test_hits_are_weighed_against_queues():
    """A hit of 800 is worth a queue of 799, not one of 801."""
    request = asked([1_000], cached_tokens=np.array([[800, 0]]))
    for queue, chosen in ((799, 0), (801, 1)):
        workers = replace(idle(2), waiting_tokens=np.array([queue, 0]))
        assert CacheAware()(request, workers).tolist() == [chosen]


def test_what_was_hit_does_not_wait():
    """After a hit of 900 of 1,000 only 100 wait there, fewer than 150 elsewhere."""
    requests = asked([1_000, 10], cached_tokens=np.array([[900, 0], [0, 0]]))
    workers = replace(idle(2), waiting_tokens=np.array([0, 150]))
    assert CacheAware()(requests, workers).tolist() == [0, 0]


def test_long_and_short_are_kept_apart_while_they_can_be():
    """The last group is for long prompts, whatever waits; if it is down they go elsewhere."""
    router = CacheAware(long_tokens=5_000)
    requests = asked([5_000, 4_999, 6_000, 10])
    assert router(requests, idle(3)).tolist() == [2, 0, 2, 1]
    down = replace(idle(3), up=np.array([True, True, False]))
    assert set(router(requests, down).tolist()) == {0, 1}

"""Two at random, the less busy of them."""

import numpy as np
import pytest

from schedulers.decode.power_of_two import PowerOfTwo
from tests.schedulers.decode.views import requests, workers


def test_of_two_workers_the_less_busy_one():
    """With two open ones the draw is no choice."""
    for routed in range(20):
        pool = workers([0, 0], running=[3, 2], routed=routed)
        assert PowerOfTwo()(requests([5]), pool).tolist() == [1]


def test_the_busiest_of_all_is_never_taken():
    """A pair of distinct workers always has a less busy one."""
    pools = (workers([0] * 4, running=[1, 2, 3, 4], routed=n) for n in range(200))
    taken = np.concatenate([PowerOfTwo(seed=3)(requests([5]), pool) for pool in pools])
    assert set(taken.tolist()) == {0, 1, 2}


def test_equally_many_requests_go_by_key_value_cache():
    """Of two workers with two requests each the emptier one."""
    assert PowerOfTwo()(requests([5]), workers([9, 4], running=[2, 2])).tolist() == [1]


def test_the_less_busy_half_is_taken_by_its_chance():
    """Of 4 workers the idlest is in a pair with chance 1/2, the next first with 1/3."""
    pools = (workers([0] * 4, running=[1, 2, 3, 4], routed=n) for n in range(2000))
    taken = np.concatenate([PowerOfTwo()(requests([5]), pool) for pool in pools])
    share = np.bincount(taken, minlength=4) / len(taken)
    assert share == pytest.approx([1 / 2, 1 / 3, 1 / 6, 0], abs=0.04)


def test_seed_decides():
    """Equal seeds draw alike, others differ somewhere."""
    burst, pool = requests([5] * 30), workers([0] * 10)
    first = PowerOfTwo(seed=1)(burst, pool)
    np.testing.assert_array_equal(first, PowerOfTwo(seed=1)(burst, pool))
    assert not np.array_equal(first, PowerOfTwo(seed=2)(burst, pool))


def test_negative_seed_is_refused():
    """The error names the seed."""
    with pytest.raises(ValueError, match="seed = -1 < 0"):
        PowerOfTwo(seed=-1)(requests([5]), workers([0]))

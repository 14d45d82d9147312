"""Requests one after another."""

import numpy as np
import pytest

import schedulers
from schedulers.in_order import in_order, lowest
from schedulers.views import HOLD
from tests.schedulers.decode.views import requests, workers

ROUTERS = [name for name in schedulers.DECODE.available() if name != "round-robin"]


def test_lowest_is_the_first_of_equal_open_ones():
    """A closed worker is passed over however little it has."""
    load = np.array([0, 5, 3, 3])
    assert lowest(load, np.array([False, True, True, True])) == 2


def test_one_that_fits_nowhere_is_held_and_those_behind_it_are_served():
    """A prompt of 90 does not fit into 50 tokens; one of 10 does."""
    found = in_order(
        requests([90, 10]), workers([0], capacity=50), lambda _, open_, totals: lowest(open_, open_)
    )
    assert found.tolist() == [HOLD, 0]


def test_every_one_is_counted_in_before_the_next():
    """The second of two requests sees the first in the totals."""
    seen = []

    def rule(index, open_ones, totals):
        seen.append((totals.requests.tolist(), totals.kv_used.tolist()))
        return 0

    in_order(requests([7, 8]), workers([3], running=[1]), rule)
    assert seen == [([1], [3]), ([2], [10])]


@pytest.mark.parametrize("name", ROUTERS)
def test_limits_hold_within_a_call(name):
    """Five prompts on workers with 2, 1 and 0 free places: three are served, none by one down."""
    pool = workers(
        [10, 20, 0, 0], running=[1, 2, 0, 3], limit=3, capacity=100, up=[True, True, False, True]
    )
    found = schedulers.make_decode_router(name)(requests([30] * 5), pool)
    assert found.dtype == np.int64
    assert sorted(found.tolist()) == [HOLD, HOLD, 0, 0, 1]


@pytest.mark.parametrize("name", ROUTERS)
def test_key_value_cache_holds_within_a_call(name):
    """Room for 45 tokens takes one prompt of 30, and no second one."""
    found = schedulers.make_decode_router(name)(requests([30, 30]), workers([55], capacity=100))
    assert sorted(found.tolist()) == [HOLD, 0]


@pytest.mark.parametrize("name", ROUTERS)
def test_no_requests_get_no_workers(name):
    """An empty call is answered by an empty array of integers."""
    found = schedulers.make_decode_router(name)(requests([]), workers([1, 2]))
    assert found.shape == (0,)
    assert found.dtype == np.int64

"""xDeepServe's decode router."""

from schedulers.decode.mask_least_kv import mask_least_kv
from tests.schedulers.decode.views import requests, workers


def test_space_reserved_for_long_outputs_counts():
    """A worker that holds little but will hold much is passed over."""
    pool = workers([10, 50], reserved=[900, 60])
    assert mask_least_kv(requests([5]), pool).tolist() == [1]


def test_a_worker_at_its_limit_is_dropped():
    """The least usage does not help a worker without a free place."""
    pool = workers([10, 50], running=[3, 1], limit=3)
    assert mask_least_kv(requests([5]), pool).tolist() == [1]


def test_expected_outputs_of_one_call_are_counted_in():
    """After an output of 500 expected tokens the next request goes elsewhere."""
    pool = workers([10, 50])
    assert mask_least_kv(requests([5, 5], [500, 5]), pool).tolist() == [0, 1]

"""Least key-value cache held now."""

from schedulers.decode.least_kv import least_kv
from tests.schedulers.decode.views import requests, workers


def test_what_is_held_now_decides():
    """Fewer tokens now win over fewer requests and over a smaller reservation."""
    pool = workers([50, 40], running=[1, 9], reserved=[60, 900])
    assert least_kv(requests([5]), pool).tolist() == [1]


def test_prompts_of_one_call_are_counted_in():
    """After a prompt of 20 the other worker is the emptier one."""
    assert least_kv(requests([20, 5]), workers([40, 45])).tolist() == [0, 1]

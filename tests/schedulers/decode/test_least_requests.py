"""Fewest requests."""

from schedulers.decode.least_requests import least_requests
from tests.schedulers.decode.views import requests, workers


def test_fewest_requests_win_whatever_they_hold():
    """Two long sequences are fewer than three short ones."""
    pool = workers([9000, 30], running=[2, 3])
    assert least_requests(requests([5]), pool).tolist() == [0]


def test_a_burst_is_spread():
    """Four requests on 0 and 2 running ones end with three on each side."""
    pool = workers([0, 20], running=[0, 2])
    assert least_requests(requests([5] * 4), pool).tolist() == [0, 0, 0, 1]

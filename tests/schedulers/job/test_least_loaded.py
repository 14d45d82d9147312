"""The worker with the least of its capacity spoken for."""

from dataclasses import replace

import numpy as np

from schedulers.job.least_loaded import least_loaded, load_fraction
from schedulers.testing.instances import asked, idle
from schedulers.views import Assigning


def test_load_is_relative_to_capacity():
    """More tokens on a larger worker can be less load."""
    workers = replace(
        idle(2),
        kv_reserved=np.array([4_000, 6_000]),
        waiting_tokens=np.array([1_000, 2_000]),
        kv_capacity=np.array([10_000, 40_000]),
    )
    assert load_fraction(Assigning(workers)).tolist() == [0.5, 0.2]
    assert least_loaded(asked([10]), workers).tolist() == [1]


def test_requests_of_one_call_spread():
    """What was just assigned counts, by its length: the short two share a worker."""
    assert least_loaded(asked([2_000, 10, 10]), idle(2)).tolist() == [0, 1, 1]

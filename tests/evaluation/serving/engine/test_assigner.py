"""An assigner separates assigned from held requests, and counts the former in its telemetry."""

import numpy as np
import pytest

from evaluation.serving.engine.assigner import Assigner
from schedulers.views import HOLD, Requests, Workers


def idle_workers():
    """Return two idle workers."""
    none = np.zeros(2, dtype=np.int64)
    return Workers(none, none, none + 9, none, none, none, none + 100, np.ones(2, dtype=bool))


def odd_to_one(requests, workers):
    """Assign odd requests to worker 1 and hold the others."""
    return np.where(requests.number % 2 == 1, 1, HOLD)


THREE = Requests(
    np.array([4, 5, 7]), np.zeros(3), prompt_tokens=np.array([1, 10, 20]), output_tokens=np.ones(3)
)


def test_assigned_and_held_keep_their_order():
    """Requests are named by their number in the trace."""
    assigner = Assigner(odd_to_one, idle_workers, 0.0, decode=False)
    assert assigner(THREE, 0.0) == ([(5, 1), (7, 1)], [4])


@pytest.mark.parametrize(("decode", "reserved"), [(False, 30), (True, 32)])
def test_output_counts_as_load_only_where_requests_generate(decode, reserved):
    """Two requests of 10 and 20 prompt tokens expect one output token each."""
    assigner = Assigner(odd_to_one, idle_workers, 5.0, decode=decode)
    assigner(THREE, 0.0)
    seen = assigner.telemetry.view(1.0)
    assert seen.kv_reserved.tolist() == [0, reserved]
    assert (seen.waiting_tokens.tolist(), seen.routed) == ([0, 30], 2)


def test_a_router_is_pooled_only_if_it_says_so():
    """Routers without the attribute are asked as soon as a request arrives."""
    assert not Assigner(odd_to_one, idle_workers, 0.0, decode=False).pooled

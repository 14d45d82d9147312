"""Whole prompts in the order they came."""

import pytest

from schedulers.batch.fcfs import fcfs
from schedulers.testing.instances import queue


@pytest.mark.parametrize(
    ("left", "decoding", "tokens"),
    [
        ([400, 500, 101, 50], 0, [400, 500, 0, 0]),  # 50 would fit, but may not overtake
        ([400, 500, 100, 50], 0, [400, 500, 100, 0]),
        ([400, 500], 200, [400, 0]),
        ([3_000, 10], 0, [3_000, 0]),
        ([900], 999, [900]),
        ([900], 1_000, [0]),
    ],
)
def test_whole_prompts_in_order(left, decoding, tokens):
    """Up to the first that does not fit 1,000; the oldest goes whole whatever its length."""
    assert fcfs(queue(left, decoding), 1_000).tolist() == tokens

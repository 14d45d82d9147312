"""Prompts in the order they came, the last one cut."""

import pytest

from schedulers.batch.chunked import chunked
from schedulers.testing.instances import queue


@pytest.mark.parametrize(
    ("left", "decoding", "tokens"),
    [
        ([400, 500, 101, 50], 0, [400, 500, 100, 0]),
        ([3_000, 10], 0, [1_000, 0]),
        ([400, 50], 0, [400, 50]),
        ([400, 500], 999, [1, 0]),
        ([400], 1_000, [0]),
        ([400], 1_500, [0]),
    ],
)
def test_the_step_is_filled_exactly(left, decoding, tokens):
    """As much as decoding leaves of 1,000, oldest first."""
    assert chunked(queue(left, decoding), 1_000).tolist() == tokens

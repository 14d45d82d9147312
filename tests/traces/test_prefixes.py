"""Repeated blocks are the leading ones that came before."""

import numpy as np
import pytest

import traces
from tests.traces.test_requests import trace
from traces import RequestTrace
from traces.prefixes import repeated_blocks


def test_by_hand():
    """The third request repeats one block of the first."""
    np.testing.assert_array_equal(repeated_blocks(trace()), [0, 0, 1])


def test_only_leading_blocks_count():
    """A known block behind a new one is no hit, and a whole prompt may be one."""
    made = RequestTrace(
        [0, 1, 2],
        [30, 30, 30],
        [1, 1, 1],
        prefix_hashes=[0, 1, 2, 0, 9, 2, 0, 1, 2],
        prefix_blocks=[3, 3, 3],
        block_tokens=10,
    )
    np.testing.assert_array_equal(repeated_blocks(made), [0, 1, 3])


def test_the_recorded_share():
    """Of the blocks of Mooncake's conversations 36.6 % repeat."""
    recorded = traces.load("mooncake-conv")
    share = repeated_blocks(recorded).sum() / recorded.prefix_blocks.sum()
    assert share == pytest.approx(105_710 / 288_500)


def test_without_hashes():
    """Nothing is known."""
    with pytest.raises(ValueError, match="no prefix_hashes"):
        repeated_blocks(RequestTrace([0], [1], [1]))

"""Traces follow each other in time."""

import numpy as np
import pytest

from tests.traces.test_routing import trace as counts
from tests.traces.test_tokens import trace as tokens
from traces import concat


def test_counts_follow():
    """Steps are appended, provenance of every part is kept."""
    both = concat([counts(provenance={"a": "x"}), counts(phase="decode", provenance={"a": "y"})])
    assert both.num_steps == 8
    assert both.phase == "mixed"
    assert both.provenance == {"0 a": "x", "1 a": "y"}


def test_tokens_follow():
    """Steps go on counting, samples stay apart."""
    one = tokens(sample_lengths=[2, 2]).split(2)
    both = concat([one, one])
    np.testing.assert_array_equal(both.step, [0, 0, 1, 1, 2, 2, 3, 3])
    np.testing.assert_array_equal(both.sample_lengths, [2, 2, 2, 2])
    assert concat([tokens(), one]).step is None


def test_only_one_model():
    """Another model, shape or kind is refused with both values."""
    with pytest.raises(ValueError, match="trace 1 has model = 'b', the first has 'a'"):
        concat([counts(model="a"), counts(model="b")])
    with pytest.raises(ValueError, match="trace 1 has top_k = 3, the first has 2"):
        concat([counts(), counts(top_k=3)])
    with pytest.raises(ValueError, match="has kind = 'token', the first has 'routing'"):
        concat([counts(), tokens()])
    with pytest.raises(ValueError, match="concat got no traces"):
        concat([])

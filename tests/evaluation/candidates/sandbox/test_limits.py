"""Limits are positive numbers."""

import math

import pytest

from evaluation.candidates.sandbox import Limits


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "4", True, None])
def test_a_limit_that_is_not_positive_is_refused(value):
    """The error names the limit and its value."""
    with pytest.raises(ValueError, match=rf"call_s = {value!r} is not a finite number > 0"):
        Limits(call_s=value)


def test_bytes_are_whole():
    """A limit in bytes is a whole number."""
    with pytest.raises(ValueError, match=r"memory_bytes = 0\.5 is not whole; give 1"):
        Limits(memory_bytes=0.5)

"""Bounds are positive numbers."""

import math

import pytest

from evaluation.candidates.sandbox import Limits


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, "4", True, None])
def test_what_bounds_nothing_is_refused(value):
    """By name and value."""
    with pytest.raises(ValueError, match=rf"call_s = {value!r} is not a finite number > 0"):
        Limits(call_s=value)


def test_bytes_are_whole():
    """Half a byte is a mistake."""
    with pytest.raises(ValueError, match=r"memory_bytes = 0\.5 is not whole; give 1"):
        Limits(memory_bytes=0.5)

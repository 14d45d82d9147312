"""Kernels copy arrays element by element."""

import numpy as np

from lb.copy_into import copy_into


def test_the_target_gets_the_values_of_the_source():
    """The target holds the source's values afterwards, and shares no memory with it."""
    target, source = np.zeros(3), np.array([1.0, 2.0, 3.0])
    copy_into(target, source)
    source[0] = 9.0
    assert target.tolist() == [1.0, 2.0, 3.0]

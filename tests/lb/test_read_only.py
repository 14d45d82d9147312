"""Kernels get arrays in one form."""

import numpy as np

from lb.read_only import read_only


def test_a_view_cannot_be_written_to_and_its_array_can():
    """The view shares memory and refuses to be written to; the array itself stays as it was."""
    array = np.zeros(2)
    view = read_only(array)
    assert not view.flags.writeable
    array[0] = 1.0
    assert view[0] == 1.0

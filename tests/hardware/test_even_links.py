"""The busiest link, from those links alone that can be the busiest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware import Fabric
from hardware.even_links import EvenLinks


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_links_that_are_left_out_are_never_the_busiest(seed):
    """Links of one rank, of several, idle ones, equal ones, and slower ones, for any bytes."""
    random = np.random.default_rng(seed)
    rows = random.random((9, 6)) * (random.random((9, 6)) < 0.5)
    every = np.concatenate([rows, rows[:3], 0.5 * rows[3:6], np.eye(6)])
    links = EvenLinks.of_operator(every)
    assert len(links.shared) <= 9
    loads = random.random((5, 4, 6)) * (random.random((5, 4, 6)) < 0.8)
    expected = (loads @ every.T).max(axis=-1)
    np.testing.assert_allclose(links.busiest_s(loads), expected, rtol=1e-13)


def test_without_shared_links_or_own_ones():
    """Either kind may be missing; without any link nothing takes time."""
    loads = np.array([[3.0, 1.0]])
    for every, expected in (
        (np.eye(2), 3.0),
        (np.array([[1.0, 2.0]]), 5.0),
        (np.zeros((1, 2)), 0.0),
    ):
        assert EvenLinks.of_operator(every).busiest_s(loads).tolist() == [expected]


@pytest.mark.parametrize("ranks", [8, 16, 144])
def test_an_exchange_on_a_fabric(ranks):
    """The same as over all links of the machine."""
    fabric = Fabric.preset("cloudmatrix384", ranks)
    loads = np.random.default_rng(0).random((3, ranks)) * 1e6
    for operator, inbound in zip(fabric.even_operators, (True, False), strict=True):
        expected = (loads @ operator.T).max(axis=-1)
        seconds = fabric.even_exchange(loads, inbound=inbound, latency=False)
        np.testing.assert_allclose(seconds, expected, rtol=1e-13)

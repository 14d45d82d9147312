"""Groups to nodes: exact where that is possible, good elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lb import grouping
from lb.grouping import groups_to_nodes


def _finish(load, home, speed):
    return (np.bincount(home, weights=load, minlength=len(speed)) / speed).max()


def test_heavy_groups_are_paired_with_light_ones():
    """Eight groups on four nodes: 9 + 1, 8 + 2, 7 + 3, 6 + 4."""
    load = np.array([[9, 8, 7, 6, 1, 2, 3, 4.0]])
    home = groups_to_nodes(load, np.ones(4))[0]
    np.testing.assert_array_equal(home[:4], home[4:])
    assert sorted(home[:4]) == [0, 1, 2, 3]


def test_longest_first_is_not_enough():
    """3 3 2 | 2 2 2 would be 8 and 6; the best is 7 and 7."""
    load = np.array([[3, 3, 2, 2, 2, 2.0]])
    assert _finish(load[0], groups_to_nodes(load, np.ones(2))[0], np.ones(2)) == 7


def test_the_fast_node_gets_the_heavy_groups():
    """A node of twice the speed finishes with the others."""
    load = np.array([[4, 4, 2, 2.0]])
    home = groups_to_nodes(load, np.array([1, 2.0]))[0]
    np.testing.assert_array_equal(home, [1, 1, 0, 0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_exchange_of_groups_is_better(seed):
    """Equally many groups on every node, and the exact answer beats any random one."""
    generator = np.random.default_rng(seed)
    load, speed = generator.lognormal(size=(2, 8)), generator.uniform(0.5, 2, 4)
    home = groups_to_nodes(load, speed)
    for layer in range(2):
        assert (np.bincount(home[layer], minlength=4) == 2).all()
        best = _finish(load[layer], home[layer], speed)
        for _ in range(50):
            other = generator.permutation(home[layer])
            assert best <= _finish(load[layer], other, speed) * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_many_groups_are_searched(seed, monkeypatch):
    """Local search is near the exact answer, and no swap of two groups is left that helps."""
    load = np.random.default_rng(seed).lognormal(size=(6, 8))
    exact = groups_to_nodes(load, np.ones(4))
    monkeypatch.setattr(grouping, "TRIED_PARTITIONS", 1)
    searched = groups_to_nodes(load, np.ones(4))
    for layer in range(6):
        assert (np.bincount(searched[layer], minlength=4) == 2).all()
        found = _finish(load[layer], searched[layer], np.ones(4))
        least = _finish(load[layer], exact[layer], np.ones(4))
        assert least <= found * (1 + 1e-12)
        assert found <= 1.15 * least
        for one in range(8):
            for two in range(one):
                swapped = searched[layer].copy()
                swapped[[one, two]] = swapped[[two, one]]
                assert found <= _finish(load[layer], swapped, np.ones(4)) * (1 + 1e-9)


def test_sixteen_groups_on_eight_nodes():
    """Two million partitions are not listed; the answer is valid all the same."""
    home = groups_to_nodes(np.random.default_rng(0).lognormal(size=(2, 16)), np.ones(8))
    for layer in home:
        assert (np.bincount(layer, minlength=8) == 2).all()

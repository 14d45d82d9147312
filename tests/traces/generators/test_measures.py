"""Each measure of tiny routing that can be checked by hand."""

import numpy as np
import pytest

from traces.generators import measures


def test_measures_of_windows():
    """Two windows of one layer: 3 to 1, then 1 to 3."""
    shares = np.array([[[0.75, 0.25, 0.0, 0.0]], [[0.25, 0.75, 0.0, 0.0]]])
    assert measures.hottest_over_mean(shares) == 3
    assert measures.above_mean(shares) == 0.25
    expected = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(4)
    assert measures.entropy(shares) == pytest.approx(expected)
    assert measures.moved_next(shares) == 0.5
    assert np.isnan(measures.moved_in_four(shares))


def test_autocorrelation():
    """Alternating shares have -1, shares that stand still none."""
    turns = np.tile([[[0.75, 0.25]], [[0.25, 0.75]]], (20, 1, 1))
    assert measures.autocorrelation(turns) == pytest.approx(-1)
    assert measures.tail_autocorrelation(turns) == pytest.approx(1)
    assert measures.autocorrelation(np.full((4, 1, 2), 0.5)) == 0
    assert np.isnan(measures.tail_autocorrelation(turns[:15]))


def test_moved_in_four():
    """The fifth window is the mirror of the first."""
    shares = np.array([[[1.0, 0.0]]] * 4 + [[[0.0, 1.0]]])
    assert measures.moved_in_four(shares) == 1


def test_coactivation():
    """Two pairs that never mix are far from chance, all pairs alike are not."""
    apart = np.array([[[0, 1]], [[2, 3]]] * 3)
    assert measures.coactivation(apart, 4) == pytest.approx(2 / 3)
    alike = np.array([[[a, b]] for a in range(4) for b in range(a)])
    assert measures.coactivation(alike, 4) == pytest.approx(0, abs=1e-6)
    assert np.isnan(measures.coactivation(apart[:, :, :1], 4))


def test_layer_dependence():
    """The next layer repeats the choice, or takes every one; a single layer has no neighbour."""
    same = np.array([[[0], [0]], [[1], [1]]])
    free = np.array([[[a], [b]] for a in (0, 1) for b in (0, 1)])
    assert measures.layer_dependence(same, 2) == pytest.approx(0.5)
    assert measures.layer_dependence(free, 2) == pytest.approx(0, abs=1e-6)
    assert np.isnan(measures.layer_dependence(free[:, :1], 2))

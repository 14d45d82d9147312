"""Balanced K-means of signatures."""

import sys

import numpy as np
import pytest

from schedulers.decode.centroids import centroids


def kinds(sizes, features=6, seed=0):
    """So many signatures near each of the first axes, of unit length."""
    random = np.random.default_rng(seed)
    points = np.repeat(np.eye(features)[: len(sizes)], sizes, axis=0)
    points = points + 0.05 * random.random(points.shape)
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_each_kind_gets_a_centroid():
    """Three equally large kinds, three workers: every axis is one centroid's largest."""
    found = centroids(kinds([8, 8, 8]), 3)
    assert sorted(found.argmax(axis=1).tolist()) == [0, 1, 2]
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3))


def test_a_kind_of_three_quarters_gets_three_of_four_workers():
    """Groups are equally large, so a large kind is shared."""
    found = centroids(kinds([24, 8]), 4)
    assert np.bincount(found.argmax(axis=1), minlength=2)[:2].tolist() == [3, 1]


def test_sizes_that_do_not_divide_leave_none_empty():
    """Seven signatures for three workers: the mean of each group is that of 2 or 3 of them."""
    points = np.eye(7)
    found = centroids(points, 3)
    assert sorted((found > 0).sum(axis=1).tolist()) == [2, 2, 3]


def test_as_many_workers_as_signatures():
    """Every signature is its own centroid."""
    points = np.eye(4)
    assert sorted(map(tuple, centroids(points, 4))) == sorted(map(tuple, points))


def test_equal_signatures_are_no_trouble():
    """All centroids are that signature."""
    np.testing.assert_allclose(centroids(np.ones((6, 4)) / 2, 3), np.ones((3, 4)) / 2)


def test_same_seed_same_centroids():
    """The start follows from the seed alone."""
    points = np.random.default_rng(1).random((30, 5))
    np.testing.assert_array_equal(centroids(points, 4, seed=2), centroids(points, 4, seed=2))


@pytest.mark.parametrize(
    ("points", "workers", "seed", "message"),
    [
        (np.eye(2), 3, 0, "for 3 workers"),
        (np.eye(2), 0, 0, "for 0 workers"),
        (np.ones(3), 1, 0, r"shape \(3,\)"),
        (np.array([[np.nan]]), 1, 0, "not finite"),
        (np.eye(2), 1, -1, "seed = -1 < 0"),
    ],
)
def test_bad_input_is_refused(points, workers, seed, message):
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        centroids(points, workers, seed)


def test_missing_scipy_is_named(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[ilp\]'"):
        centroids(np.eye(2), 1)

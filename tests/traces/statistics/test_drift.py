"""Drift from window to window."""

import numpy as np
import pytest

from traces.generated import ar1_counts
from traces.statistics.drift import Drift, log_loads


def measured(loads, top_k=1, lags=(1, 2)):
    """Return the drift of windows, [windows, layers, experts]."""
    loads = np.asarray(loads, float)
    drift = Drift(loads.shape[1], loads.shape[2], top_k, lags)
    for load in loads:
        drift.add(load)
    return drift


def test_distance_is_the_load_that_changes_experts():
    """Half of it moves, then all of it: 0.75 on average; the size of windows does not matter."""
    drift = measured([[[4, 0, 0]], [[3, 3, 0]], [[0, 0, 7]]])
    assert drift.distance == pytest.approx([0.75])


def test_equal_windows():
    """Nothing drifts, everything persists, and without variance there is no autocorrelation."""
    drift = measured(np.tile([[5, 1, 0]], (4, 1, 1)))
    assert drift.distance == pytest.approx([0])
    assert drift.persistence == pytest.approx(np.ones((2, 1)))
    assert np.isnan(drift.autocorrelation).all()


def test_chance_explains_the_drift_of_one_law():
    """Windows of independent tokens of one law drift as much as chance says, within 3 %."""
    generator = np.random.default_rng(0)
    chance = generator.dirichlet(np.full(64, 0.5), 8)
    loads = np.array([[generator.multinomial(4000, p) for p in chance] for _ in range(40)])
    drift = measured(loads)
    assert drift.distance.mean() == pytest.approx(drift.distance_by_chance.mean(), rel=0.03)


def test_autoregressive_loads():
    """Correlations of AR(1) log loads fall as rho to the lag, within what so many show."""
    counts = ar1_counts(200, 4, 64, rho=0.8, sigma=1.0, tokens=10**6, seed=0).counts
    drift = measured(counts, lags=(1, 2, 4))
    wanted = np.array([0.8, 0.64, 0.8**4])
    assert drift.persistence.mean(axis=1) == pytest.approx(wanted, abs=0.03)
    assert drift.autocorrelation.mean(axis=1) == pytest.approx(wanted, abs=0.05)


def test_autocorrelation_is_that_of_the_textbook():
    """Streamed sums give what the whole series gives, holes left out."""
    generator = np.random.default_rng(1)
    loads = generator.integers(1, 50, (12, 2, 5)).astype(float)
    loads[6, 1] = 0
    found = measured(loads).autocorrelation
    for layer in range(2):
        x = log_loads(loads)[:, layer]
        there = ~np.isnan(x[:, 0])
        x = x - x[there].mean(axis=0)
        variance = (x[there] ** 2).mean(axis=0).sum()
        for number, lag in enumerate((1, 2)):
            pair = there[lag:] & there[:-lag]
            covariance = (x[lag:] * x[:-lag])[pair].mean(axis=0).sum()
            assert found[number, layer] == pytest.approx(covariance / variance)


def test_a_layer_without_load_in_a_window():
    """The window is left out for that layer alone."""
    drift = measured([[[1, 0], [2, 2]], [[0, 0], [4, 0]], [[1, 0], [2, 2]]])
    assert np.isnan(drift.distance[0])
    assert drift.distance[1] == pytest.approx(0.5)


def test_one_window_says_nothing():
    """No pairs, no numbers, no warnings."""
    drift = measured([[[1, 2]]])
    for values in (drift.distance, drift.distance_by_chance, drift.persistence):
        assert np.isnan(values).all()

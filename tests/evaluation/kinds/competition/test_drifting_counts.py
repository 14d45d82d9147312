"""Counts that drift: their mean, how fast they forget, and that they come one by one."""

import itertools
import tracemalloc

import numpy as np
import pytest

from evaluation.kinds.competition.drifting_counts import drifting_counts


def _trace(iterations, layers=3, experts=8, **options):
    return np.stack(list(drifting_counts(iterations, layers, experts, **options)))


def test_counts_are_an_int32_trace():
    """[layers, experts] whole numbers, as many as iterations."""
    trace = _trace(5)
    assert trace.shape == (5, 3, 8)
    assert trace.dtype == np.int32
    assert trace.min() >= 0


def test_a_layer_counts_tokens_on_average():
    """2,000 Poisson sums of mean 500: their mean is within 5 standard errors."""
    total = _trace(1000, layers=2, tokens=500).sum(axis=2)
    assert abs(total.mean() - 500) < 5 * np.sqrt(500 / total.size)
    assert total.var() == pytest.approx(500, rel=0.2)  # Poisson: variance and mean are equal


def test_log_loads_are_normal_with_correlation_rho():
    """Of 20,000 experts with many tokens each, within 5 standard errors."""
    rho = 0.6
    state = np.log(_trace(3, layers=2, experts=10_000, rho=rho, tokens=2_000_000_000))
    state -= state.mean(axis=2, keepdims=True)  # softmax leaves a constant of the layer open
    first, second, third = (one.ravel() for one in state)
    error = 5 / np.sqrt(first.size)
    assert [one.std() for one in (first, second, third)] == pytest.approx([1] * 3, abs=error)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(rho, abs=error)
    assert np.corrcoef(first, third)[0, 1] == pytest.approx(rho**2, abs=error)


def test_layers_and_experts_drift_apart():
    """No two layers are alike."""
    one, other = np.log(_trace(1, layers=2, experts=10_000, tokens=10**9)[0])
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.05


def test_rho_one_stands_still_and_zero_forgets():
    """At 1 only the noise of counting is left; at 0 nothing of the iteration before."""
    still = _trace(2, experts=1000, rho=1.0, tokens=10**9).astype(float)
    assert np.abs(still[1] - still[0]).max() < 6 * np.sqrt(2 * still.max())
    fresh = np.log(_trace(2, experts=10_000, rho=0.0, tokens=10**9)[:, 0])
    assert abs(np.corrcoef(fresh)[0, 1]) < 0.05


def test_the_seed_decides():
    """Equal seeds give equal counts, and others do not; a longer trace begins like a shorter."""
    np.testing.assert_array_equal(_trace(4, seed=3), _trace(4, seed=3))
    np.testing.assert_array_equal(_trace(4, seed=3), _trace(6, seed=3)[:4])
    assert (_trace(4, seed=3) != _trace(4, seed=4)).any()


def test_only_one_iteration_is_held():
    """The first ten of 10^9 iterations come without the others."""
    tracemalloc.start()
    try:
        for counts in itertools.islice(drifting_counts(10**9, 4, 64), 10):
            assert counts.shape == (4, 64)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations = 0 < 1"),
        ({"layers": 0}, "layers = 0 < 1"),
        ({"experts": 1.5}, "experts = 1.5 is not an integer"),
        ({"rho": 1.1}, "rho = 1.1 > 1"),
        ({"rho": -0.1}, "rho = -0.1 < 0"),
        ({"tokens": 0}, "tokens = 0 < 1"),
        ({"seed": -1}, "seed = -1 < 0"),
    ],
)
def test_wrong_arguments_are_refused_at_once(options, message):
    """Before the first counts are asked for."""
    with pytest.raises(ValueError, match=message):
        drifting_counts(**{"iterations": 2, **options})

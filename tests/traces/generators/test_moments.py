"""Counts have the mean, the variance and the correlation that their law says."""

import math

import numpy as np
import pytest

from traces import generators
from traces.generators import Law
from traces.generators.inclusion import inclusion, logits_of
from traces.generators.moments import INVERTED_BELOW, moments, normal_quantiles
from traces.generators.timeline import base

STEPS = 20_000


def drawn(tokens, **changes):
    """Return counts [steps, 32] of one layer and the chances [32] behind them."""
    fields = {"layers": 1, "experts": 32, "top_k": 4, "popularity": "lognormal", "skew": 0.8}
    law = Law(**(fields | changes), step_tokens=tokens)
    return generators.trace(law, STEPS).counts[:, 0].astype(float), inclusion(
        base(law)[0, 0], law.top_k
    )


@pytest.mark.parametrize("tokens", [5, 60, 400, 50_000])
def test_means_are_those_of_the_chances(tokens):
    """Within five standard errors, from counts all drawn by inversion to all by normal law."""
    counts, chance = drawn(tokens)
    error = np.sqrt(tokens * chance * (1 - chance) / STEPS)
    assert (
        np.abs(counts.mean(axis=0) - tokens * chance) < 5 * error + 1e-3 * tokens * chance
    ).all()


@pytest.mark.parametrize("tokens", [5, 60, 400, 50_000])
def test_variances_are_binomial(tokens):
    """Each within 8 %, all together within 2 %: conditioning on the total has been allowed for."""
    counts, chance = drawn(tokens)
    ratio = counts.var(axis=0) / (tokens * chance * (1 - chance))
    assert ratio == pytest.approx(np.ones(32), abs=0.08)
    assert ratio.mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("chance", [0.02, 0.97])
def test_small_counts_are_binomial_in_all_their_distribution(chance):
    """Of an expert that few tokens choose, and of one that few do not, among 40 others."""
    others = np.full(40, (4 - chance) / 40)
    logits = logits_of(np.concatenate([[chance], others]))
    counts = generators.trace(Law(1, 41, 4, step_tokens=100, logits=logits[None]), 40_000).counts[
        :, 0, 0
    ]
    few = counts if chance < 0.5 else 100 - counts
    rare = min(chance, 1 - chance)
    expected = [math.comb(100, n) * rare**n * (1 - rare) ** (100 - n) for n in range(10)]
    found = np.bincount(few, minlength=10)[:10] / len(few)
    assert found == pytest.approx(np.array(expected), abs=0.01)


@pytest.mark.parametrize("tokens", [60, 50_000])
def test_noise_has_its_coefficient_of_variation(tokens):
    """Variance beyond the drawing of tokens is (noise * mean)**2, less where chances are large."""
    counts, chance = drawn(tokens, noise=0.3, experts=64)
    beyond = counts.var(axis=0) - tokens * chance * (1 - chance)
    usual = chance < 0.1
    found = np.sqrt(np.maximum(beyond[usual], 0)) / (tokens * chance[usual])
    assert np.median(found) == pytest.approx(0.3, abs=0.03)


def test_steps_are_independent_without_drift():
    """Correlation from step to step is 0 within five standard errors."""
    counts, _ = drawn(400)
    deviation = counts - counts.mean(axis=0)
    correlation = (deviation[1:] * deviation[:-1]).mean(axis=0) / deviation.var(axis=0)
    assert np.abs(correlation).max() < 5 / np.sqrt(STEPS)


def test_quantiles_are_standard_normal():
    """Mean 0, variance 1, kurtosis 3."""
    table = normal_quantiles().astype(float)
    assert abs(table.mean()) < 1e-6
    assert table.var() == pytest.approx(1, abs=1e-5)
    assert (table**4).mean() == pytest.approx(3, abs=0.01)


def test_which_counts_are_inverted():
    """Those with a mean below the documented one, and a variance."""
    chance = np.array([[0.1, 0.9, 1.0]])
    made = moments(chance, np.array([100, 200]), np.zeros((1, 3)))
    assert INVERTED_BELOW == 16
    assert made.small.tolist() == [0, 1]
    assert made.small_start.tolist() == [[0, 2], [2, 2]]
    assert made.recurrence[:, 3].tolist() == [0, 1]

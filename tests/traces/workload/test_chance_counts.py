"""Counts drawn from chances: totals, means and variances of independent tokens."""

import numpy as np
import pytest

from traces.generators.inclusion import inclusion
from traces.workload.chance_counts import chance_counts

STEPS = 3000


def chances(conditions=3, layers=2, experts=32, top_k=4, sigma=0.8):
    """[layers, conditions, experts] chances."""
    logits = np.random.default_rng(1).normal(0, sigma, (layers, conditions, experts))
    return inclusion(logits, top_k)


@pytest.mark.parametrize("tokens", [[1, 0, 0], [3, 2, 1], [40, 20, 10], [700, 10, 400]])
def test_mean_and_variance_are_those_of_independent_tokens(tokens):
    """Sums over conditions of n p and n p (1 - p): few tokens by inversion, many by normal law."""
    chance, tokens = chances(), np.array(tokens)
    counts = chance_counts(np.tile(tokens, (STEPS, 1)), chance, 4, np.random.default_rng(2))
    assert (counts.sum(axis=2) == 4 * tokens.sum()).all()
    assert (counts >= 0).all()
    assert (counts <= tokens.sum()).all()
    mean = (tokens[:, None] * chance).sum(axis=1)
    variance = (tokens[:, None] * chance * (1 - chance)).sum(axis=1)
    deviation = (counts.mean(axis=0) - mean) / np.sqrt(variance / STEPS)
    assert np.abs(deviation).max() < 5
    assert (counts.var(axis=0) / variance).mean() == pytest.approx(1.0, abs=0.04)


def test_steps_of_changing_tokens_have_their_own_means():
    """Tokens that come and go leave nothing behind, after any number of steps."""
    tokens = np.random.default_rng(0).integers(0, 50, (1000, 3))
    tokens[500:520] = 0
    chance = chances()
    counts = chance_counts(tokens, chance, 4, np.random.default_rng(2))
    assert (counts[500:520] == 0).all()
    error = counts - np.einsum("sc,lce->sle", tokens, chance)
    assert np.abs(error.mean(axis=0)).max() < 0.7  # 5 deviations of sqrt(20 / 1000)
    np.testing.assert_array_equal(counts.sum(axis=2), 4 * np.tile(tokens.sum(axis=1), (2, 1)).T)


def test_certain_and_impossible_experts_are_exact():
    """An expert of chance 1 has all tokens, one of chance 0 none; one expert alone has them all."""
    chance = np.array([[[1.0, 0.0, 0.5, 0.5]]])
    counts = chance_counts(np.full((50, 1), 100), chance, 2, np.random.default_rng(0))
    assert (counts[:, 0, 0] == 100).all()
    assert (counts[:, 0, 1] == 0).all()
    alone = chance_counts(np.full((5, 1), 7), np.ones((2, 1, 1)), 1, np.random.default_rng(0))
    assert (alone == 7).all()


@pytest.mark.parametrize(
    ("tokens", "text"),
    [([[1, 2]], "shape"), ([[-1, 2, 3]], "-1 < 0"), ([[2**30, 0, 0]], r"2\*\*31")],
)
def test_tokens_that_do_not_fit_are_refused(tokens, text):
    """The error names the shape, the number or the bound."""
    with pytest.raises(ValueError, match=text):
        chance_counts(np.array(tokens), chances(), 4, np.random.default_rng(0))

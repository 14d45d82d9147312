"""Chances of the top k of perturbed logits."""

import numpy as np
import pytest

from traces.generators import route
from traces.generators.inclusion import inclusion, logits_of


def test_one_choice_is_softmax():
    """Exactly."""
    logits = np.log([[0.5, 0.3, 0.2]])
    assert inclusion(logits, 1) == pytest.approx(np.array([[0.5, 0.3, 0.2]]))


def test_all_experts_are_sure():
    """Where top_k is all of them."""
    assert inclusion(np.array([[0.0, 5.0]]), 2).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("experts", "top_k", "bound"), [(64, 6, 0.006), (256, 8, 0.006), (8, 2, 0.05)]
)
def test_near_to_what_tokens_do(experts, top_k, bound):
    """Total variation to 200,000 tokens that take the top k; large only for few experts."""
    generator = np.random.default_rng(3)
    logits = generator.normal(size=experts)
    noisy = logits + generator.gumbel(size=(200_000, experts))
    found = np.bincount(route(noisy, top_k).ravel(), minlength=experts) / 200_000
    assert np.abs(found - inclusion(logits[None], top_k)[0]).sum() / (2 * top_k) < bound


@pytest.mark.parametrize("top_k", [1, 2, 8])
@pytest.mark.parametrize("skew", [0.0, 1.0, 1.5])
def test_logits_of_chances_are_the_logits(top_k, skew):
    """Up to the constant of each layer; the chances add up to top_k."""
    logits = skew * np.random.default_rng(1).normal(size=(3, 24))
    chance = inclusion(logits, top_k)
    assert chance.sum(axis=1) == pytest.approx(np.full(3, top_k))
    assert logits_of(chance) == pytest.approx(logits - logits.mean(axis=1, keepdims=True), abs=1e-4)

"""Tokens made from chances: different experts, exact shares, chunks of the same tokens."""

import numpy as np
import pytest

from traces.generators.probability_pool import ORDERS, TOKENS, probability_pool
from traces.token_pool import SIZES


def chances(layers, experts, top_k, seed=0):
    """Return skewed chances that add up to ``top_k`` in every layer."""
    random = np.random.default_rng(seed)
    found = random.dirichlet(np.full(experts, 2.0), layers) * top_k
    while found.max() > 1:
        found = np.minimum(found, 1.0)
        found *= top_k / found.sum(axis=1, keepdims=True)
    return found


@pytest.mark.parametrize(("experts", "top_k"), [(16, 1), (16, 4), (256, 8), (4, 4)])
def test_a_token_chooses_different_experts_of_its_layers(experts, top_k):
    """As many as top_k in every layer, none twice, also where all are chosen."""
    chance = chances(3, experts, top_k) if top_k < experts else np.ones((3, experts))
    cells = probability_pool(chance, top_k, np.random.default_rng(1)).cells.astype(np.int64)
    ids = cells.reshape(TOKENS, 3, top_k) - np.arange(3)[:, None] * experts
    assert ids.min() >= 0
    assert ids.max() < experts
    assert (np.diff(np.sort(ids, axis=2), axis=2) > 0).all()


def test_shares_are_the_chances():
    """Every expert is chosen as often as its chance says, to a token or two in every order."""
    chance = chances(2, 64, 6)
    pool = probability_pool(chance, 6, np.random.default_rng(2))
    found = np.bincount(pool.cells.ravel(), minlength=128).reshape(2, 64)
    assert np.abs(found - chance * TOKENS).max() <= 2 * ORDERS
    assert found.sum() == TOKENS * 12


def test_an_expert_that_is_never_chosen_is_in_no_token():
    """Chances of 0 and of 1 are kept to the letter."""
    chance = np.array([[1.0, 0.0, 0.4, 0.6]])
    pool = probability_pool(chance, 2, np.random.default_rng(3))
    found = np.bincount(pool.cells.ravel(), minlength=4)
    assert found[0] == TOKENS
    assert found[1] == 0


def test_chunks_hold_whole_tokens():
    """A chunk of so many tokens has top_k choices of each in every layer; the largest is 1,024."""
    pool = probability_pool(chances(3, 16, 2), 2, np.random.default_rng(4))
    for size, begin, end in zip(SIZES[1:-1], pool.first[:-1], pool.first[1:], strict=True):
        assert end - begin >= 128
        totals = pool.chunks[begin:end].reshape(-1, 3, 16).sum(axis=2)
        assert (totals == 2 * size).all()

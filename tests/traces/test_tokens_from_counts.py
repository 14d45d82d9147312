"""Tokens made from counts choose as often, and different experts."""

import numpy as np
import pytest

from traces import RoutingTrace
from traces.tokens_from_counts import TOKENS, tokens_from_counts


def test_shares_are_met_and_choices_differ():
    """To half a token of 8192 in every layer."""
    counts = np.random.default_rng(0).multinomial(10_000, np.arange(1, 17) / 136, (3, 2))
    trace = RoutingTrace(counts, "toy", top_k=4)
    tokens = tokens_from_counts(trace, seed=1)
    assert tokens.shape == (TOKENS, 2, 4)
    ordered = np.sort(tokens, axis=2)
    assert (ordered[:, :, 1:] > ordered[:, :, :-1]).all()
    for layer in range(2):
        share = trace.counts[:, layer].sum(axis=0) / trace.counts[:, layer].sum() * 4
        np.testing.assert_allclose(
            np.bincount(tokens[:, layer].ravel(), minlength=16), share * TOKENS, atol=1
        )


def test_who_goes_with_whom_is_left_to_chance():
    """Pairs of even experts come about equally often, and layers know nothing of each other."""
    tokens = tokens_from_counts(RoutingTrace(np.full((1, 2, 8), 100), "toy", top_k=2), seed=2)
    pairs = np.zeros((8, 8))
    np.add.at(pairs, (tokens[:, 0, 0], tokens[:, 0, 1]), 1)
    both = (pairs + pairs.T)[np.triu_indices(8, 1)]
    assert both.sum() == TOKENS
    assert (np.abs(both - TOKENS / 28) < 5 * (TOKENS / 28) ** 0.5).all()
    across = np.bincount(tokens[:, 0, 0] * 8 + tokens[:, 1, 0], minlength=64)
    assert (np.abs(across - TOKENS / 64) < 5 * (TOKENS / 64) ** 0.5).all()


def test_an_expert_that_all_choose():
    """One in top_k of all choices is the most, and possible."""
    tokens = tokens_from_counts(RoutingTrace([[[10, 6, 4]]], "toy", top_k=2), seed=0)
    assert (tokens == 0).any(axis=2).all()


def test_laws_that_no_tokens_have():
    """The layer, the expert and how to fix it."""
    with pytest.raises(ValueError, match="expert 1 of layer 0 has 11 of 20 choices, more than one"):
        tokens_from_counts(RoutingTrace([[[5, 11, 4]]], "toy", top_k=2), 0)
    with pytest.raises(ValueError, match="layer 1 has no counts in any step"):
        tokens_from_counts(RoutingTrace([[[5, 5], [0, 0]]], "toy", top_k=1), 0)

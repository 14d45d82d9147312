"""Kinds of tokens are found, and make experts go together as they did."""

import numpy as np
import pytest

import traces
from traces import generators
from traces.generators import compare, fit
from traces.generators.token_kinds import kinds_of


def test_two_kinds_that_never_mix_are_found():
    """Tokens that choose experts 0 and 1 in both layers, and tokens that choose 2 and 3."""
    experts = np.array([[[0, 1], [1, 0]]] * 300 + [[[2, 3], [3, 2]]] * 100)
    chance, share = kinds_of(experts, 4, 2, seed=1)
    assert sorted(share) == pytest.approx([0.25, 0.75], abs=0.01)
    for kind in chance:
        assert sorted(kind[0]) == pytest.approx([0, 0, 1, 1], abs=0.02)


@pytest.mark.parametrize("number", [1, 5, 900])
def test_the_mean_of_the_kinds_is_that_of_the_tokens(number):
    """However many there are, more than tokens among it."""
    experts = np.random.default_rng(0).permuted(np.tile(np.arange(6), (400, 3, 1)), axis=2)[
        :, :, :2
    ]
    chance, share = kinds_of(experts, 6, number, seed=0)
    assert len(share) <= min(number, 400)
    mean = np.stack([np.bincount(experts[:, n].ravel(), minlength=6) for n in range(3)]) / 400
    assert np.tensordot(share, chance, axes=1) == pytest.approx(mean)


def test_experts_go_together_as_recorded():
    """Kinds bring co-activation and dependence of layers from a tenth to over half, loads kept."""
    tokens = traces.load("dsv2lite-translation").split(256)
    plain, kinds = (
        {row.name: row for row in compare(tokens, next(generators.tokens(law, 32, block_steps=32)))}
        for law in (fit(tokens), fit(tokens, token_kinds=24))
    )
    for name in ("co-activation", "layer dependence"):
        assert plain[name].generated < 0.2 * plain[name].recorded
        assert kinds[name].generated > 0.6 * kinds[name].recorded
    for name in ("hottest / mean", "experts above the mean", "entropy", "load moved, next window"):
        assert kinds[name].met


def test_kinds_take_tokens():
    """Counts do not say which experts went together."""
    tokens = traces.load("dsv2lite-intent")
    with pytest.raises(ValueError, match="token_kinds = 2 takes a token trace in steps"):
        fit(tokens.split(256).counts(), token_kinds=2)
    with pytest.raises(ValueError, match="token_kinds = 0 < 1"):
        fit(tokens.split(256), token_kinds=0)

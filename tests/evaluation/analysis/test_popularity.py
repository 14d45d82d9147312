"""Popularity laws: shares that can be, counts that add up, drift that keeps the spread."""

import numpy as np
import pytest

from evaluation.analysis.popularity import Popularity, after_drift, token_counts


def _share(law, skew, top_k=8, seed=0):
    result = Popularity(law, skew, top_k)
    return result.share(result.logarithm(3, 64, np.random.default_rng(seed)))


@pytest.mark.parametrize("law", ["zipf", "lognormal"])
def test_no_skew_is_uniform(law):
    """Either law."""
    np.testing.assert_allclose(_share(law, 0), 1 / 64)


def test_zipf_falls_with_the_rank():
    """Weights are r^-s, dealt out differently in every layer."""
    share = _share("zipf", 0.5, top_k=1)
    expected = np.arange(1, 65) ** -0.5
    for layer in share:
        np.testing.assert_allclose(np.sort(layer)[::-1], expected / expected.sum())
    assert (share[0] != share[1]).any()


@pytest.mark.parametrize("skew", [0.5, 1, 3, 10])
@pytest.mark.parametrize("law", ["zipf", "lognormal"])
def test_no_token_chooses_an_expert_twice(law, skew):
    """No share above 1 / top_k; the rest keeps its order and adds up."""
    share = _share(law, skew)
    assert share.max() <= 1 / 8
    np.testing.assert_allclose(share.sum(axis=1), 1)
    free = _share(law, skew, top_k=1)
    for capped, whole in zip(share, free, strict=True):
        assert (np.diff(capped[np.argsort(whole)]) >= 0).all()


def test_counts_add_up():
    """top_k copies of every token in every layer, and one of each for an expert at the most."""
    law = Popularity("zipf", 3.0, 8)
    share = law.share(law.logarithm(3, 64, np.random.default_rng(0)))
    counts = token_counts(share, law.top_k, 100, 5, np.random.default_rng(1))
    assert counts.shape == (5, 3, 64)
    assert (counts.sum(axis=2) == 800).all()
    full = share >= 1 / 8
    assert full.any()
    assert (counts[:, full] == 100).all()


def test_every_expert_is_chosen_by_every_token():
    """With as many choices as experts nothing is left to chance."""
    law = Popularity("zipf", 2.0, 4)
    share = law.share(law.logarithm(2, 4, np.random.default_rng(0)))
    assert (token_counts(share, 4, 7, 3, np.random.default_rng(0)) == 7).all()


def test_drift_keeps_mean_and_spread_and_forgets():
    """Correlation with the past is 1 - drift; none of it changes nothing."""
    generator = np.random.default_rng(0)
    before = 0.7 * generator.standard_normal((2, 20_000))
    after = after_drift(before, 0.4, generator)
    np.testing.assert_allclose(after.std(axis=1), before.std(axis=1), rtol=0.03)
    np.testing.assert_allclose(after.mean(axis=1), before.mean(axis=1), atol=0.03)
    for one, other in zip(before, after, strict=True):
        assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.6, abs=0.03)
    assert after_drift(before, 0.0, generator) is before


def test_uniform_does_not_drift():
    """Without spread there is nothing to change."""
    assert not after_drift(np.zeros((2, 8)), 1.0, np.random.default_rng(0)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Popularity("pareto", 1, 8), "law = 'pareto' is not one of zipf, lognormal"),
        (lambda: Popularity("zipf", -1, 8), "skew = -1 breaks 0 <= skew <= 10"),
        (lambda: Popularity("zipf", float("nan"), 8), "skew = nan breaks"),
        (lambda: Popularity("zipf", 1, 0), "top_k = 0 < 1"),
        (
            lambda: after_drift(np.zeros((1, 2)), 1.5, np.random.default_rng(0)),
            "drift = 1.5 breaks",
        ),
    ],
)
def test_wrong_figures_are_refused(call, message):
    """With the inequality that fails."""
    with pytest.raises(ValueError, match=message):
        call()

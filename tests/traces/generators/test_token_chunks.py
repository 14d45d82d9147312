"""Tokens and counts follow one law."""

import numpy as np
import pytest

from traces import generators
from traces.generators import Law
from traces.generators.measures import layer_dependence

STEPS, TOKENS = 64, 500
BASE = {"layers": 2, "experts": 64, "top_k": 6, "step_tokens": TOKENS, "update_steps": 8}


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({}, 0.004),
        ({"domains": 3, "affinity": 1.0, "mix_sigma": 0.5, "mix_steps": 20.0}, 0.004),
        ({"drift_sigma": 0.5, "drift_steps": 20.0, "shift_every": 20.0}, 0.006),
        ({"noise": 0.2, "steadiness": 0.5}, 0.015),
        ({"groups": 8, "groups_kept": 4, "popularity": "lognormal", "skew": 0.8}, 0.015),
        ({"layer_correlation": 0.7}, 0.004),
        ({"prefill_share": 0.3, "prefill_tokens": 800}, 0.004),
        ({"bias": np.linspace(0, 0.3, 128).reshape(2, 64)}, 0.015),
    ],
)
def test_tokens_and_counts_agree(changes, bound):
    """Mean counts: total variation beyond what drawing brings is small; variances within 12 %."""
    law = Law(**(BASE | changes))
    (tokens,) = generators.tokens(law, STEPS, block_steps=STEPS)
    found, meant = (
        trace.counts.astype(float) for trace in (tokens.counts(), generators.trace(law, STEPS))
    )
    mean, other = found.mean(axis=0), meant.mean(axis=0)
    by_chance = np.sqrt(2 * other * (1 - other / other.sum() * 2 * 6) / STEPS).sum() * 0.8
    apart = np.abs(mean - other).sum()
    assert (apart - by_chance) / other.sum() / 2 < bound
    assert found.var(axis=0).sum() == pytest.approx(meant.var(axis=0).sum(), rel=0.12)


def test_correlated_noise_ties_the_layers_and_leaves_each_as_it_was():
    """Choices of neighbouring layers depend on each other; the counts of a layer do not change."""
    law = Law(2, 32, 4, step_tokens=20_000, skew=0.5)
    (free,), (tied,) = (
        generators.tokens(one, 1)
        for one in (law, law.replace(layer_correlation=0.9, logits=_logits(law)))
    )
    assert layer_dependence(free.experts, 32) < 0.03 < 0.1 < layer_dependence(tied.experts, 32)
    assert np.abs(free.counts().counts - tied.counts().counts).sum() / 160_000 < 0.03


def _logits(law):
    from traces.generators.timeline import base

    return base(law)[0]

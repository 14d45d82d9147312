"""Tokens of one request are alike."""

import numpy as np
import pytest

import traces
from traces import TokenTrace
from traces.generators.loads import sequence_correlation, sequence_counts
from traces.generators.loads.sequences import DOMAIN_CORRELATION, MIXED_CORRELATION

NAMES = ("dsv2lite-intent", "dsv2lite-summary", "dsv2lite-translation")


def recorded():
    """Return the three bundled recordings in one."""
    return traces.concat([traces.load(name) for name in NAMES])


def excess(counts, tokens):
    """Return the variance of counts [requests, layers, experts] over the binomial one."""
    chance = counts.sum(axis=0) / tokens.sum()
    expected = tokens[:, None, None] * chance
    return ((counts - expected) ** 2).sum() / (expected * (1 - chance)).sum()


def test_stated_correlations_are_those_of_the_recordings():
    """Of the three together, and the mean of each by itself; to the last digit given."""
    assert sequence_correlation(recorded()) == pytest.approx(MIXED_CORRELATION, abs=5e-4)
    alone = [sequence_correlation(traces.load(name)) for name in NAMES]
    assert alone == pytest.approx([-0.0011, 0.0093, 0.0016], abs=5e-5)
    assert np.mean(alone) == pytest.approx(DOMAIN_CORRELATION, abs=5e-5)


def test_counts_of_requests_vary_as_recorded():
    """With the recorded lengths: the variance over the binomial one, within 15 %."""
    trace = recorded()
    tokens = trace.sample_lengths.astype(np.int64)
    parts = np.split(trace.experts, np.cumsum(tokens)[:-1])
    by_layer = [
        [np.bincount(part[:, layer].ravel(), minlength=64) for layer in range(26)] for part in parts
    ]
    counts = np.array(by_layer)
    chance = counts.sum(axis=0) / tokens.sum()
    random = np.random.default_rng(0)
    made = sequence_counts(chance, tokens, MIXED_CORRELATION, random)
    assert excess(made, tokens) == pytest.approx(excess(counts, tokens), rel=0.15)
    alone = sequence_counts(chance, tokens, 0.0, random)
    # choices are independent, even of one token: (1 - 1/64) / (1 - 6/64) = 1.09 for an even load
    assert excess(alone, tokens) == pytest.approx(1.09, abs=0.05)


def test_totals_are_exact():
    """Tokens times top_k in every layer."""
    chance = np.full((2, 8), 0.25)
    made = sequence_counts(chance, [3, 0, 10], 0.1, np.random.default_rng(0))
    assert made.sum(axis=2).tolist() == [[6, 6], [0, 0], [20, 20]]


def test_independent_tokens_have_no_correlation():
    """Samples cut at random out of independent tokens: 0, within 0.002."""
    random = np.random.default_rng(2)
    experts = random.random((4000, 3, 16)).argsort(axis=2)[:, :, :4]
    trace = TokenTrace(experts, 16, "toy", sample_lengths=np.full(40, 100))
    assert sequence_correlation(trace) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("lengths", [None, [10], [1] * 10])
def test_samples_must_be_told(lengths):
    """Several, longer than a token."""
    trace = TokenTrace(np.zeros((10, 1, 1), int), 2, "toy", sample_lengths=lengths)
    with pytest.raises(ValueError, match="give at least two"):
        sequence_correlation(trace)


@pytest.mark.parametrize(
    ("tokens", "correlation", "message"),
    [([-1], 0.1, "0 or more"), ([1.5], 0.1, "whole numbers"), ([1], 1.0, "correlation = 1.0")],
)
def test_odd_arguments_are_refused(tokens, correlation, message):
    """With the number."""
    with pytest.raises(ValueError, match=message):
        sequence_counts(np.full((1, 2), 0.5), tokens, correlation, np.random.default_rng(0))

"""Steps that are priced at once cost what each of them costs alone."""

from dataclasses import replace

import numpy as np
import pytest

import lb
from evaluation.replay.price_steps import ideal_step_s, price_steps
from evaluation.replay.replay_window import ReplayWindow
from hardware.faults import Jitter

FIELDS = ("rank_attention", "dispatch", "rank_experts", "combine")
STEPS, LAYERS, EXPERTS, RANKS, SLOTS = 5, 3, 64, 16, 5


@pytest.fixture
def window():
    """A window of five steps of unequal tokens, two of which are of prefill."""
    counts = np.random.default_rng(0).poisson(24, (STEPS, LAYERS, EXPERTS))
    total = counts.sum(axis=0)
    return ReplayWindow(
        total,
        total,
        counts,
        np.array([256, 257, 300, 16, 0]),
        np.ones(STEPS),
        STEPS,
        ("decode", "prefill", "prefill", "decode", "decode"),
    )


@pytest.fixture
def placement(window):
    """Replicas in some order."""
    return lb.solve(lb.Problem(window.load, RANKS, SLOTS), "greedy")


def alone(executor, placement, window, shares, first):
    """Return the seconds of each step, priced by itself."""
    return [
        replace(executor, phase=phase).step(placement, counts, share, int(tokens), number=first + n)
        for n, (counts, share, tokens, phase) in enumerate(
            zip(window.counts, shares, window.tokens, window.phases, strict=True)
        )
    ]


@pytest.mark.parametrize("jitter", [None, Jitter(0.1, 0.2)], ids=["still", "noisy"])
@pytest.mark.parametrize("dispatcher", ["even", "optimal", "local-first"])
def test_together_as_alone(executor, placement, window, dispatcher, jitter):
    """Under shares that are alike, by step, and by source rank, in two phases, with noise too."""
    executor = replace(executor, jitter=jitter)
    split = lb.configured(dispatcher, 4)
    load = window.counts.astype(float)
    shares = [split(placement, step) for step in load]
    steps = price_steps(executor, placement, load, shares, window, 7)
    single = alone(executor, placement, window, shares, 7)
    for name in FIELDS:
        expected = np.stack([getattr(step, name) for step in single])
        np.testing.assert_allclose(getattr(steps, name), expected, rtol=1e-13)
    np.testing.assert_allclose(steps.totals, [step.total for step in single], rtol=1e-13)


def test_ideal_together_as_alone(executor, window):
    """Perfect balance of each step, in its own phase."""
    ideal = ideal_step_s(executor, RANKS, window.counts.astype(float), window)
    for step, phase in enumerate(window.phases):
        own = replace(executor, phase=phase)
        alone_s = own.ideal(window.counts[step], RANKS, int(window.tokens[step])).total
        assert ideal[step] == pytest.approx(alone_s, rel=1e-13)


@pytest.mark.parametrize(
    ("counts", "share", "tokens"),
    [
        (np.ones((2, LAYERS, EXPERTS + 1)), None, [8, 8]),
        (np.ones((LAYERS, EXPERTS)), None, [8]),
        (np.ones((2, LAYERS, EXPERTS)), np.ones((3, LAYERS, RANKS * SLOTS)), [8, 8]),
        (np.ones((2, LAYERS, EXPERTS)), None, [8]),
    ],
    ids=["experts", "axes", "share", "tokens"],
)
def test_shapes_that_do_not_fit_are_refused(executor, placement, counts, share, tokens):
    """The error names the shapes that would."""
    with pytest.raises(ValueError, match="counts, share and step_tokens have shapes"):
        executor.steps(placement, counts, share, tokens)

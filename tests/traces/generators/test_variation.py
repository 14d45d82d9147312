"""What is put into a law is found again."""

import numpy as np
import pytest

from traces import generators
from traces.generators import Law
from traces.generators.frames import frames_of
from traces.generators.variation import variation

FIELDS = {
    "layers": 12,
    "experts": 64,
    "top_k": 6,
    "step_tokens": 1000,
    "skew": 0.6,
    "update_steps": 1,
}


def found(**changes):
    """Return the variation of 300 steps of a law of one domain."""
    frames = frames_of(generators.trace(Law(**(FIELDS | changes)), 300))
    return variation(frames.chance, frames.tokens, np.zeros(300, np.int64))


def test_nothing_is_found_in_nothing():
    """Drawing tokens is not taken for noise or drift."""
    nothing = found()
    assert nothing.noise < 0.03
    assert nothing.drift_sigma < 0.03


def test_noise_is_found():
    """And not taken for drift."""
    noisy = found(noise=0.25)
    assert noisy.noise == pytest.approx(0.25, rel=0.1)
    assert noisy.drift_sigma < 0.08


def test_drift_is_found():
    """Its deviation within a tenth and its length within a third."""
    drifting = found(drift_sigma=0.25, drift_steps=6.0)
    assert drifting.drift_sigma == pytest.approx(0.25, rel=0.1)
    assert drifting.drift_frames == pytest.approx(6, rel=1 / 3)
    assert drifting.noise < 0.08


def test_who_varies_is_found():
    """Steadiness, and a layer that varies twice as much as the others."""
    layers = np.ones(12)
    layers[3] = 2
    uneven = found(noise=0.2, steadiness=0.4, layer_variation=layers)
    assert uneven.steadiness == pytest.approx(0.4, abs=0.1)
    ratio = uneven.layer_variation / np.delete(uneven.layer_variation, 3).mean()
    assert ratio[3] == pytest.approx(2, rel=0.15)
    assert np.delete(ratio, 3) == pytest.approx(np.ones(11), abs=0.25)


def test_frames_that_are_each_their_own_domain_do_not_vary():
    """There is nothing to tell variation from."""
    frames = frames_of(generators.trace(Law(**FIELDS), 4))
    alone = variation(frames.chance, frames.tokens, np.arange(4))
    assert (alone.noise, alone.drift_sigma) == (0, 0)

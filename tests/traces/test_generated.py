"""Generated traces follow their law."""

import numpy as np
import pytest

import traces
from traces.generated import GENERATED, ar1_counts


def law(**changes):
    """Return a small trace, a few arguments changed."""
    arguments = {"rho": 0.9, "sigma": 0.5, "tokens": 100_000, "seed": 1} | changes
    shape = [arguments.pop(name, size) for name, size in SHAPE.items()]
    return ar1_counts(*shape, **arguments)


SHAPE = {"windows": 40, "layers": 6, "experts": 64}


def test_counts_add_up_in_every_layer_and_window():
    """All choices, top_k a token, are divided; none is lost in rounding."""
    trace = law(top_k=4)
    assert trace.counts.shape == (40, 6, 64)
    assert (trace.counts.sum(axis=2) == 400_000).all()
    assert (trace.step_tokens == 100_000).all()


def test_log_loads_have_the_stated_deviation_and_correlation():
    """Deviation within 5 % and lag-1 correlation within 0.02, over 6 x 64 experts."""
    log = np.log(law().counts)
    log -= log.mean(axis=2, keepdims=True)
    assert log.std() == pytest.approx(0.5, rel=0.05)
    correlation = (log[1:] * log[:-1]).mean() / (log * log).mean()
    assert correlation == pytest.approx(0.9, abs=0.02)


def test_boundaries_of_the_law():
    """With rho = 1 all stands still; sigma = 0 is uniform; one window of one expert is a trace."""
    still = law(rho=1.0).counts
    assert (still == still[0]).all()
    assert np.ptp(law(sigma=0.0).counts) <= 1
    assert law(windows=1, layers=1, experts=1).counts.tolist() == [[[100_000]]]


def test_seeds():
    """Equal seeds give equal traces, others do not."""
    assert law().content_hash == law().content_hash
    assert law().content_hash != law(seed=2).content_hash


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"windows": 0}, "windows = 0 < 1"),
        ({"experts": 1.5}, "experts = 1.5 is not an integer"),
        ({"tokens": 0}, "tokens = 0, top_k = 1; give at least 1"),
        ({"rho": 1.1}, "rho = 1.1 is outside -1 <= rho <= 1"),
        ({"sigma": -1.0}, "sigma = -1.0 is outside 0 <= sigma"),
        ({"sigma": float("nan")}, "sigma = nan is outside"),
    ],
)
def test_wrong_arguments_are_refused(changes, message):
    """The value, what it breaks and the mend are named."""
    with pytest.raises(ValueError, match=message):
        law(**changes)


@pytest.mark.parametrize("name", GENERATED)
def test_generated_names_open_like_bundled_ones(name):
    """By name, with hash, provenance and blocks, twice the same."""
    assert name in traces.available()
    trace = traces.open(name)
    assert trace.content_hash == traces.load(name).content_hash
    assert {"origin", "law"} <= set(trace.provenance)
    assert sum(block.num_steps for block in trace.blocks()) == trace.num_steps


def test_the_drift_of_the_field():
    """The stated shape, without idle experts."""
    trace = traces.load("ar1-drift")
    assert trace.counts.shape == (24, 58, 256)
    assert (trace.model, trace.top_k) == ("deepseek-v3", 8)
    assert trace.counts.min() > 0

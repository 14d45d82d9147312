"""The same machine with other links."""

import dataclasses

import numpy as np
import pytest

from evaluation.analysis.bandwidth import scaled
from hardware import Library


def test_half_the_bandwidth_takes_twice_as_long_but_for_setup(executor):
    """Links and library rates scale, setups stay."""
    library = Library.preset("cann-ep")
    whole = dataclasses.replace(executor.collectives, library=library)
    half = scaled(whole, 0.5)
    tokens = np.full((1, 16), 5000.0)
    setup = whole.setup_s("dispatch")
    np.testing.assert_allclose(
        half.dispatch_s(tokens) - setup, 2 * (whole.dispatch_s(tokens) - setup)
    )
    assert half.send_bytes_per_s() == pytest.approx(whole.send_bytes_per_s() / 2)


def test_the_machine_itself_is_left_alone(executor):
    """Factor 1 is the same object, and others copy."""
    before = executor.collectives.fabric.link_rate.copy()
    assert scaled(executor.collectives, 1) is executor.collectives
    assert scaled(executor.collectives, 4).fabric.link_rate == pytest.approx(4 * before)
    np.testing.assert_array_equal(executor.collectives.fabric.link_rate, before)


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_no_bandwidth_is_refused(executor, factor):
    """A factor is positive and finite."""
    with pytest.raises(ValueError, match="breaks 0 < bandwidth"):
        scaled(executor.collectives, factor)

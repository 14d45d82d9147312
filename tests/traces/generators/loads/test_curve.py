"""Coefficients over the length of prompts or outputs."""

import numpy as np
import pytest

from traces.generators.loads import Condition, Curve

CURVE = Curve("prefill", "prompt_tokens", (512, 1024, 4096), [[0.0, 1.0], [1.0, 3.0], [4.0, 2.0]])


def at(tokens, curve=CURVE):
    """Return the coefficients of a prompt."""
    return curve(Condition("prefill", tokens))


def test_knots_are_met():
    """Exactly."""
    assert at(512) == pytest.approx([0, 1])
    assert at(1024) == pytest.approx([1, 3])
    assert at(4096) == pytest.approx([4, 2])


def test_between_knots_nothing_overshoots():
    """Each coefficient stays between those of the knots, and moves one way."""
    values = np.array([at(tokens) for tokens in range(512, 4097)])
    assert (np.diff(values[:, 0]) >= 0).all()
    rising = np.diff(values[:, 1]) >= -1e-12
    assert rising[:512].all()
    assert not rising[512:].any()


@pytest.mark.parametrize("tokens", [64, 512, 1024, 4096, 32_768])
def test_smooth(tokens):
    """The slope just below a length is that just above it: 1 % of a doubling to either side."""
    below, here, above = (CURVE.at(tokens * 2**shift) for shift in (-0.01, 0, 0.01))
    assert (above - here) / 0.01 == pytest.approx((here - below) / 0.01, abs=0.1)


def test_beyond_the_knots_coefficients_settle():
    """One doubling's worth of the last slope is the most: 1 and 2 a doubling here, to the left."""
    assert at(1) == pytest.approx([-1, -1], abs=0.01)
    assert at(2**30) == pytest.approx([5.5, 1.5], abs=0.01)


def test_a_single_knot_is_constant():
    """Whatever the length, known or not."""
    curve = Curve("decode", "output_tokens", [7], [[2.0]])
    assert curve(Condition("decode")) == curve(Condition("decode", 5, 100)) == [2.0]


def test_a_missing_length_is_named():
    """With a condition that lacks it."""
    with pytest.raises(ValueError, match="condition prefill has no prompt_tokens"):
        CURVE(Condition("prefill"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phase": "mixed"}, "phase = 'mixed'"),
        ({"axis": "length"}, "axis = 'length'"),
        ({"knots": (2, 1)}, "do not rise"),
        ({"knots": (0, 1)}, "do not rise"),
        ({"knots": (1, 2, 3)}, r"knots have shape \(3,\)"),
        ({"values": [[0.0], [np.nan]]}, "give finite"),
    ],
)
def test_odd_curves_are_refused(changes, message):
    """With what is wrong."""
    fields = {
        "phase": "prefill",
        "axis": "prompt_tokens",
        "knots": (1, 2),
        "values": [[0.0], [1.0]],
    }
    with pytest.raises(ValueError, match=message):
        Curve(**{**fields, **changes})

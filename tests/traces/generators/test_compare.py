"""A comparison says what is met and what is not."""

import pytest

from traces import generators
from traces.generators import Law, Row, compare

LAW = Law(2, 16, 2, step_tokens=2000, skew=0.6, drift_sigma=0.2, drift_steps=8.0, update_steps=1)


def test_another_seed_of_a_law_is_like_it():
    """Every statistic of windows is met."""
    rows = compare(generators.trace(LAW, 400), generators.trace(LAW, 400, start=400))
    assert {row.name for row in rows if not row.met} == set()


def test_what_differs_is_not_met():
    """Twice the skew is seen in the loads."""
    rows = {
        row.name: row
        for row in compare(generators.trace(LAW, 80), generators.trace(LAW.replace(skew=1.2), 80))
    }
    assert not rows["hottest / mean"].met
    assert not rows["entropy"].met
    assert rows["hottest / mean"].recorded < rows["hottest / mean"].generated


def test_tokens_are_compared_as_such():
    """Co-activation and dependence of layers are told of token traces alone."""
    (tokens,) = generators.tokens(LAW, 16, block_steps=16)
    assert "co-activation" in {row.name for row in compare(tokens, tokens)}
    assert "co-activation" not in {row.name for row in compare(tokens, tokens.counts())}


def test_more_statistics():
    """A function of windows, met within 0.02."""
    rows = compare(
        generators.trace(LAW, 16),
        generators.trace(LAW, 16),
        8,
        {"windows": lambda windows: float(len(windows))},
    )
    assert rows[-1] == Row("windows", 2.0, 2.0, 0.02)


def test_tolerance():
    """Met up to it, and not beyond."""
    assert Row("x", 1.0, 1.02, 0.021).met
    assert not Row("x", 1.0, 1.03, 0.021).met


def test_other_shapes_are_refused():
    """And too few windows."""
    with pytest.raises(ValueError, match="compare traces of one shape"):
        compare(generators.trace(LAW, 16), generators.trace(LAW.replace(experts=8), 16))
    with pytest.raises(ValueError, match="1 frames of 8 steps"):
        compare(generators.trace(LAW, 8), generators.trace(LAW, 16))

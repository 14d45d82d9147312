"""Skew of loads, on loads that can be reckoned by hand."""

import math

import numpy as np
import pytest

from traces.statistics import skew

EVEN = [2, 2, 2, 2]
ALL_ON_ONE = [0, 0, 8, 0]
MIXED = [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("measure", "even", "one", "mixed"),
    [
        (skew.hottest, 1, 4, 1.6),
        (skew.top_share, 0.25, 1, 0.4),
        (skew.above_mean, 0, 0.25, 0.5),
        (skew.gini, 0, 0.75, 0.25),
        (skew.variation, 0, math.sqrt(3), math.sqrt(1.25) / 2.5),
        (skew.entropy, 1, 0, -sum(p * math.log(p, 4) for p in (0.1, 0.2, 0.3, 0.4))),
    ],
)
def test_by_hand(measure, even, one, mixed):
    """Even loads, all load on one expert, and 1 to 4 give what their definitions say."""
    found = measure([EVEN, ALL_ON_ONE, MIXED])
    assert found == pytest.approx([even, one, mixed], abs=1e-12)


@pytest.mark.parametrize(
    "measure",
    [skew.hottest, skew.top_share, skew.above_mean, skew.gini, skew.variation, skew.entropy],
)
def test_no_load_is_not_known(measure):
    """A layer without load has no skew, and warns of nothing."""
    found = measure(np.zeros((2, 4)))
    assert np.isnan(found).all()
    assert found.shape == (2,)


def test_a_single_expert_is_even():
    """Its entropy is 1, not 0 / 0."""
    assert skew.entropy([[5]]) == pytest.approx([1])
    assert skew.gini([[5]]) == pytest.approx([0])


def test_gini_is_half_the_mean_difference_over_the_mean():
    """The sorted form equals the definition over all pairs."""
    load = np.random.default_rng(0).lognormal(size=17)
    pairs = np.abs(load[:, None] - load[None, :]).mean()
    assert skew.gini(load) == pytest.approx(pairs / 2 / load.mean())


def test_top_share_takes_whole_experts():
    """A fifth of six experts is two of them."""
    assert skew.top_share([1, 1, 1, 1, 1, 5]) == pytest.approx(0.6)


def test_contiguous_layout():
    """Neighbouring ids share a rank: 3 and 7 of 10 on two ranks."""
    assert skew.contiguous_balancedness(MIXED, 2) == pytest.approx(5 / 7)
    assert skew.contiguous_balancedness(MIXED, 1) == pytest.approx(1)
    with pytest.raises(ValueError, match="ranks = 3 does not divide 4 experts"):
        skew.contiguous_balancedness(MIXED, 3)

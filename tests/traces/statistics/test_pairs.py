"""Experts chosen together."""

import math

import numpy as np
import pytest

from traces.statistics import pairs


def chosen(tokens, layers, experts, top_k, seed=0, weight=None):
    """Draw independent choices by Gumbel noise."""
    generator = np.random.default_rng(seed)
    noise = generator.gumbel(size=(tokens, layers, experts))
    scores = noise + (0 if weight is None else weight)
    return np.argsort(-scores, axis=2)[:, :, :top_k]


def test_counts_by_hand():
    """Two tokens of two layers: each pair of a layer once, each onward pair once."""
    counted = pairs.Pairs(2, 4)
    counted.add(np.array([[[0, 2], [1, 3]], [[2, 0], [3, 0]]], np.uint8))
    together = np.zeros((4, 4))
    together[0, 2] = together[2, 0] = 2
    assert counted.together(0).tolist() == together.tolist()
    onward = counted.onward(0)
    assert onward.sum() == 8
    assert onward[0, 3] == onward[2, 3] == 2
    assert onward[0, 1] == onward[2, 0] == 1


def test_chunks_add_up():
    """Tokens in chunks count as they do at once."""
    ids = chosen(50, 3, 8, 3)
    whole, parts = pairs.Pairs(3, 8), pairs.Pairs(3, 8)
    whole.add(ids)
    for start in (0, 20):
        parts.add(ids[start : start + (20 if start == 0 else 30)])
    assert (whole.together(1) == parts.together(1)).all()
    assert (whole.onward(1) == parts.onward(1)).all()


def test_expected_keeps_every_experts_pairs():
    """Margins are those observed, the diagonal is empty."""
    counted = pairs.Pairs(1, 16)
    counted.add(chosen(2000, 1, 16, 4, weight=np.linspace(0, 2, 16)))
    together = counted.together(0)
    expected = pairs.expected_together(together)
    assert expected.sum(axis=1) == pytest.approx(together.sum(axis=1), rel=1e-6)
    assert (np.diag(expected) == 0).all()


@pytest.mark.parametrize(("spread", "above"), [(0.0, 0.008), (0.7, 0.01), (1.5, 0.03)])
def test_independent_choices_are_chance(spread, above):
    """What is beyond chance is what so few tokens show, however unequal the experts are."""
    counted = pairs.Pairs(2, 32)
    weight = spread * np.random.default_rng(3).normal(size=32)
    counted.add(chosen(4000, 2, 32, 3, weight=weight))
    onward = counted.onward(0)
    expected = pairs.expected_onward(onward)
    by_chance = pairs.excess_by_chance(expected, 3)
    assert pairs.excess(onward, expected) == pytest.approx(by_chance, rel=0.08)
    together = counted.together(0)
    expected = pairs.expected_together(together)
    by_chance = pairs.excess_by_chance(expected, 3)
    # choosing without replacement is not quite independence of pairs where experts are unequal
    assert by_chance * 0.9 < pairs.excess(together, expected) < by_chance + above


def test_experts_that_go_together():
    """Experts in fixed couples are all beyond chance, and the strongest pair is a couple."""
    generator = np.random.default_rng(0)
    first = 2 * generator.integers(0, 8, 1000)
    counted = pairs.Pairs(1, 16)
    counted.add(np.stack([first, first + 1], axis=1)[:, None, :])
    together = counted.together(0)
    expected = pairs.expected_together(together)
    assert pairs.excess(together, expected) > 0.8
    one, other, lift = pairs.strongest(together, expected)
    assert {one, other} in [{2 * n, 2 * n + 1} for n in range(8)]
    assert lift > 5


def test_deviation_of_a_poisson_count():
    """Half the mean absolute deviation, 2/e at mean 1, times 1 less the share of an expert."""
    assert pairs.excess_by_chance(np.ones((30, 30)), 1) == pytest.approx(29 / 30 / math.e)
    large = np.full((2, 2), 1e4)
    half = math.sqrt(2 / math.pi / 1e4) / 2
    assert pairs.excess_by_chance(large, 1) == pytest.approx(half / 2)


def test_no_pairs():
    """With top_k = 1 nothing is chosen together, which is not known rather than 0."""
    counted = pairs.Pairs(1, 4)
    counted.add(np.zeros((10, 1, 1), np.uint8))
    together = counted.together(0)
    expected = pairs.expected_together(together)
    assert math.isnan(pairs.excess(together, expected))
    assert math.isnan(pairs.excess_by_chance(expected, 1))
    assert pairs.strongest(together, expected) is None


def test_rare_pairs_are_not_named():
    """One token makes no pair worth naming, whatever its lift."""
    counted = pairs.Pairs(1, 64)
    counted.add(np.array([[[3, 7]]], np.uint8))
    together = counted.together(0)
    assert pairs.strongest(together, pairs.expected_together(together)) is None

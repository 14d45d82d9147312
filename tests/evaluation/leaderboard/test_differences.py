"""Pairs separate if they differ, and seldom if they do not."""

import numpy as np
import pytest

from evaluation.leaderboard.differences import Differences
from evaluation.leaderboard.observations import value
from evaluation.leaderboard.scatter import Scatter, scatters
from tests.evaluation.leaderboard import generated

SCENARIOS = 2


def compare(efficiency, taken=None):
    """Return the differences of rows with these efficiencies, [rows, scenarios, repetitions]."""
    rows = generated.rows(efficiency, np.ones(efficiency.shape) if taken is None else taken)
    score = np.array([value(row) for row in rows])
    return Differences(score, *scatters(rows, follow=True))


def drawn(random, candidates, repetitions, law="normal", scatter=0.003):
    """Return efficiencies of equal candidates: traffic moves all by 0.05, luck each by 0.003."""
    shape = (candidates, SCENARIOS, repetitions)
    traffic = 0.05 * generated.standard(random, (1, *shape[1:]), law)
    return 0.85 + traffic + scatter * generated.standard(random, shape, law)


@pytest.mark.parametrize("law", ["normal", "skewed"])
@pytest.mark.parametrize("repetitions", [3, 10])
def test_equal_candidates_are_seldom_separated(law, repetitions):
    """Any two of five, in at most 5 of 100 tables; 500 tables scatter by √(0.05 · 0.95 / 500)."""
    random = np.random.default_rng([5, repetitions])
    wrong = 0
    for _ in range(500):
        taken = np.exp(0.2 * random.standard_normal((1, SCENARIOS, repetitions)))
        wrong += compare(drawn(random, 5, repetitions, law), taken).separated().any()
    assert wrong / 500 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 500)


def found(repetitions, candidates=2, tables=100):
    """Return how often a candidate that takes 0.5 % less time is separated from all others."""
    random = np.random.default_rng(6)
    count = 0
    for _ in range(tables):
        efficiency = drawn(random, candidates, repetitions)
        efficiency[0] /= 1 - 0.005
        count += compare(efficiency).separated()[0, 1:].all()
    return count / tables


def test_half_a_percent_of_step_time_is_found():
    """Between two solvers with 8 repetitions, between six with 20, in 9 of 10 tables or more.

    Differences scatter by 0.003 · √2 ÷ √2 scenarios = 0.003 from repetition to repetition, and the
    one that is planted is 0.0043.
    """
    assert found(8) >= 0.9
    assert found(3) < 0.5
    assert found(20, candidates=6) >= 0.9


def test_traffic_that_moves_all_alike_hides_nothing():
    """A constant difference of 0.001 separates beside traffic that scatters by 0.05."""
    random = np.random.default_rng(7)
    efficiency = drawn(random, 1, 5).repeat(2, axis=0)
    efficiency[1] += 0.001
    assert compare(efficiency).separated()[0, 1]


def test_identical_candidates_are_tied():
    """Neither a zero scatter nor an error of rounding separates them."""
    efficiency = drawn(np.random.default_rng(8), 1, 5).repeat(2, axis=0)
    assert not compare(efficiency).separated().any()
    assert not compare(efficiency * np.array([1, 1 + 1e-15])[:, None, None]).separated().any()


def test_holm_is_stricter_with_more_pairs():
    """A pair that differs by 2.5 standard errors separates alone, and not beside 44 others.

    Student's t of 1,000 degrees of freedom: 2.5 is a probability of 0.013, above 0.05 / 45.
    """
    alone, beside = (
        Differences(
            np.concatenate([[2.5], np.zeros(count - 1)]),
            [Scatter(np.eye(count) / np.sqrt(2), 1000.0, 1001)],
            np.ones(count, dtype=bool),
        )
        for count in (2, 10)
    )
    assert alone.separated()[0, 1]
    assert not beside.separated().any()


def test_the_repetitions_that_it_says_separate():
    """With as many as it says, a pair of the observed difference and scatter is found in 80 %."""
    source = Scatter(np.array([[0.003 / np.sqrt(3)], [0.0]]), 2.0, 3)  # deviation 0.003, 3 times
    tie = Differences(np.array([0.8543, 0.85]), [source], np.ones(2, dtype=bool))
    needed = tie.repetitions_to_separate(tie.separated())
    assert np.isnan(needed[0, 0])
    assert needed[0, 1] == needed[1, 0]
    assert 0.7 <= found(int(needed[0, 1]), tables=300) <= 0.9


def test_repetitions_are_unknown_within_a_recording():
    """To run a recording again adds nothing."""
    source = Scatter(np.array([[0.01], [0.0]]), 9.0, 1)
    tie = Differences(np.array([0.86, 0.85]), [source], np.ones(2, dtype=bool))
    assert np.isnan(tie.repetitions_to_separate(tie.separated())).all()


def test_rows_without_scatter_are_never_separated():
    """One observation says nothing, and no number of repetitions follows from it."""
    lone = Differences(np.array([0.9, 0.1]), [], np.zeros(2, dtype=bool))
    assert not lone.separated().any()
    assert np.isnan(lone.repetitions_to_separate(lone.separated())).all()

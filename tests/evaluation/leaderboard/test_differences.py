"""Pairs separate if they differ, and seldom if they do not."""

import numpy as np
import pytest

from evaluation.leaderboard.differences import Differences
from evaluation.leaderboard.observations import value
from evaluation.leaderboard.scatter import Scatter, scatters
from tests.evaluation.leaderboard import generated

SCENARIOS = 2


def compare(efficiency, taken=None, seeds=None):
    """Return the differences of rows with these efficiencies, [rows, scenarios, repetitions]."""
    taken = np.ones(efficiency.shape) if taken is None else taken
    rows = generated.rows(efficiency, taken, seeds)
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


def streams(scenarios, repetitions):
    """Return seeds of which no two scenarios have one in common."""
    return np.arange(scenarios * repetitions).reshape(scenarios, repetitions).tolist()


#: How much scenarios scatter. They may do so alike, or one of them decides.
SPREADS = {"alike": (1, 1, 1, 1), "unequal": (0.3, 0.5, 1, 3)}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("law", ["normal", "skewed"])
@pytest.mark.parametrize("repetitions", [2, 3, 5])
def test_equal_candidates_are_seldom_separated_on_streams_of_their_own(law, repetitions, spread):
    """The family-wise error is 5 % also with the degrees of freedom of Welch and Satterthwaite."""
    random = np.random.default_rng([9, repetitions])
    size = np.array(SPREADS[spread])[None, :, None]
    wrong = 0
    for _ in range(500):
        luck = generated.standard(random, (5, 4, repetitions), law)
        traffic = generated.standard(random, (1, 4, repetitions), law)
        efficiency = 0.85 + size * (0.02 * traffic + 0.003 * luck)
        wrong += compare(efficiency, seeds=streams(4, repetitions)).separated().any()
    assert wrong / 500 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 500)


def test_half_a_percent_is_found_sooner_on_streams_of_their_own():
    """Four scenarios of four repetitions, ten solvers: in 9 of 10 tables, and else in under half.

    Differences scatter by 0.0012 · √2 ÷ √16 = 0.0004, and the planted one is 0.0043, ten times as
    much. It must pass 0.05 ÷ 45 pairs with 12 degrees of freedom (t = 4.3) instead of 3 (t = 13).
    """
    random = np.random.default_rng(10)
    count = np.zeros(2)
    for _ in range(100):
        traffic, luck = (random.standard_normal((rows, 4, 4)) for rows in (1, 10))
        efficiency = 0.85 + 0.02 * traffic + 0.0012 * luck
        efficiency[0] /= 1 - 0.005
        for at, seeds in enumerate((streams(4, 4), None)):
            count[at] += compare(efficiency, seeds=seeds).separated()[0, 1:].all()
    assert count[0] >= 90
    assert count[1] < 50


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

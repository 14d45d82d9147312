"""Intervals hold the truth about as often as they say."""

import numpy as np

from evaluation.leaderboard.bootstrap_blocks import blocks
from evaluation.leaderboard.interval import sure
from evaluation.leaderboard.measures import MEASURES
from tests.evaluation.leaderboard.made import record

EFFICIENCY = MEASURES["solver"]


def made(*records):
    """Return the numbers of one row."""
    return blocks(records, EFFICIENCY)


def test_an_interval_holds_the_true_value():
    """In about 95 of 100 repetitions with independent windows, here at least 85."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        found = sure([made(record("a", 0.6 + 0.1 * random.standard_normal(12)))], follow=False)
        held += found.alone_low[0] <= 0.6 <= found.alone_high[0]
    assert 85 <= held <= 100


def test_neighbours_that_are_alike_make_it_wider():
    """The same numbers in stretches say less than in any order."""
    steps = np.repeat(np.random.default_rng(2).random(9), 3)
    row = [made(record("a", steps))]
    apart, together = (sure(row, follow=follow) for follow in (False, True))
    width = [one.alone_high - one.alone_low for one in (apart, together)]
    assert width[1] > 1.2 * width[0]


def test_runs_of_a_candidate_that_draws_lots_are_drawn_too():
    """Its own luck is in its interval, even where all windows are alike."""
    runs = [record("a", [value] * 8, seed=seed) for seed, value in enumerate((0.5, 0.6, 0.7))]
    still = record("b", [0.6] * 8)
    found = sure([made(*runs), made(still)], follow=True)
    assert found.alone_high[0] - found.alone_low[0] > 0.05
    assert found.alone_high[1] - found.alone_low[1] < 1e-12


def test_traces_of_several_seeds_are_drawn_too():
    """Windows alike within a trace, and traces that differ."""
    runs = [
        record("a", [value] * 8, seed=n, trace_seed=n, trace_hash=str(n))
        for n, value in enumerate((0.5, 0.6, 0.7))
    ]
    found = sure([made(*runs)], follow=True)
    assert found.score[0] == np.mean([0.5, 0.6, 0.7])
    assert found.alone_low[0] < 0.6 < found.alone_high[0]


def test_the_same_records_give_the_same_interval():
    """Nothing depends on a clock or on global chance."""
    row = [made(record("a", np.random.default_rng(3).random(9)))]
    one, two = (sure(row, follow=True) for _ in range(2))
    assert one.alone_low == two.alone_low
    assert one.alone_low[0] < one.score[0] < one.alone_high[0]

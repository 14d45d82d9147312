"""Confidence intervals hold the truth about as often as they say."""

import numpy as np
import pytest

from evaluation.kinds.scheduler.scheduler import GOODPUT
from evaluation.kinds.solver import SOLVER
from evaluation.leaderboard.interval import intervals
from evaluation.leaderboard.observations import gather
from tests.evaluation.leaderboard.made import record, scheduler

EFFICIENCY = SOLVER.measure


def runs(*records):
    """Return the observations of one row."""
    return gather([(one, EFFICIENCY.parts(one)) for one in records], EFFICIENCY.identity)


def ratios(goodputs):
    """Return the observations of the reference and of a scheduler, [seeds] goodputs each."""
    names = ("plain", "new")
    records = [
        scheduler(name, goodput, seed=seed)
        for name, own in zip(names, goodputs, strict=True)
        for seed, goodput in enumerate(own)
    ]
    observed = list(zip(records, GOODPUT.observe(records), strict=True))
    return [
        gather([(one, own) for one, own in observed if one["solver"] == name], GOODPUT.identity)
        for name in names
    ]


def test_an_interval_holds_the_true_value():
    """In about 95 of 100 repetitions with independent windows, here at least 85."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(100):
        result = intervals(
            [runs(record("a", 0.6 + 0.1 * random.standard_normal(12)))], follow=False
        )
        held += result.alone_low[0] <= 0.6 <= result.alone_high[0]
    assert 85 <= held <= 100


def test_an_interval_of_a_ratio_holds_the_true_value():
    """A scheduler is 1.2 times as good, and seeds scatter: at least 85 of 100 intervals hold it."""
    random = np.random.default_rng(4)
    held = 0
    for _ in range(100):
        traffic = np.exp(random.standard_normal(8))  # alike for both: a ratio must not see it
        own = 1.2 * traffic * np.exp(0.1 * random.standard_normal(8))
        result = intervals(ratios([traffic, own]), follow=False, is_paired=True)
        low, high = np.exp([result.low[1], result.high[1]])
        held += low <= 1.2 <= high
        assert high / low < 1.5  # the traffic alone scatters by e to either side
    assert 85 <= held <= 100


def test_the_reference_is_exactly_one():
    """Its logarithms are 0, so that score and interval have no width, whatever the traffic."""
    result = intervals(ratios([[1.0, 70.0, 0.3], [2.0, 3.0, 4.0]]), follow=False, is_paired=True)
    assert (result.score[0], result.low[0], result.high[0]) == (0.0, 0.0, 0.0)


def test_neighbours_that_are_alike_make_it_wider():
    """The same numbers in blocks say less than in any order."""
    steps = np.repeat(np.random.default_rng(2).random(9), 3)
    row = [runs(record("a", steps))]
    apart, together = (intervals(row, follow=follow) for follow in (False, True))
    width = [one.alone_high - one.alone_low for one in (apart, together)]
    assert width[1] > 1.2 * width[0]


def test_runs_of_a_random_candidate_are_drawn_too():
    """Its own luck is in its interval, even where all windows are alike."""
    several = [record("a", [value] * 8, seed=seed) for seed, value in enumerate((0.5, 0.6, 0.7))]
    still = record("b", [0.6] * 8)
    result = intervals([runs(*several), runs(still)], follow=True)
    assert result.alone_high[0] - result.alone_low[0] > 0.05
    assert result.alone_high[1] - result.alone_low[1] < 1e-12


def test_traces_of_several_seeds_are_drawn_too():
    """Windows are alike within a trace, and traces differ."""
    several = [
        record("a", [value] * 8, seed=n, trace_seed=n, trace_hash=str(n))
        for n, value in enumerate((0.5, 0.6, 0.7))
    ]
    result = intervals([runs(*several)], follow=True)
    assert result.score[0] == np.mean([0.5, 0.6, 0.7])
    assert result.alone_low[0] < 0.6 < result.alone_high[0]


def test_scenarios_are_not_drawn():
    """Two scenarios far apart, each without scatter, leave their mean of 0.5 certain."""
    result = intervals([runs(record("a", [0.2] * 4), record("a", [0.8] * 4, "two"))], follow=False)
    assert (result.alone_low[0], result.alone_high[0]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_scenario_with_a_single_window_gives_no_interval():
    """Nothing is known of its scatter, however many windows other scenarios have."""
    result = intervals([runs(record("a", [0.2] * 4), record("a", 0.8, "two"))], follow=True)
    assert (result.low[0], result.high[0]) == (-np.inf, np.inf)


def test_the_same_records_give_the_same_interval():
    """Nothing depends on a clock or on global chance."""
    row = [runs(record("a", np.random.default_rng(3).random(9)))]
    one, two = (intervals(row, follow=True) for _ in range(2))
    assert one.alone_low == two.alone_low
    assert one.alone_low[0] < one.score[0] < one.alone_high[0]

"""Intervals of means by bootstrap, and ranks that overlapping ones share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.leaderboard import mean_interval
from evaluation.leaderboard.mean_interval import bootstrap_interval, shared_ranks

FEW = np.array([0.9, 1.0, 1.1, 1.4, 0.8])


def test_holds_the_mean_and_stays_in_the_range():
    """The interval has the mean inside, and its ends among the samples."""
    low, high = bootstrap_interval(FEW)
    assert FEW.min() <= low < FEW.mean() < high <= FEW.max()


def test_covers_as_often_as_it_says():
    """Of intervals at 90 % from eight normal samples about 90 % hold the true mean."""
    values = np.random.default_rng(3).normal(5.0, 2.0, size=(3000, 8))
    low, high = bootstrap_interval(values, level=0.9)
    covered = ((low <= 5.0) & (high >= 5.0)).mean()
    assert 0.87 < covered < 0.93  # plain percentiles: 0.83


def test_equal_seeds_give_equal_intervals_and_others_others():
    """Only the seed decides the draws."""
    assert bootstrap_interval(FEW, seed=4) == bootstrap_interval(FEW, seed=4)
    assert bootstrap_interval(FEW, seed=4) != bootstrap_interval(FEW, seed=5)


def test_rows_are_drawn_alike():
    """A row that lies one above another in each sample has an interval one above."""
    low, high = bootstrap_interval(np.stack([FEW, FEW + 1.0]))
    assert low[1] - low[0] == pytest.approx(1.0)
    assert high[1] - high[0] == pytest.approx(1.0)


def test_keeps_leading_axes():
    """All axes before the samples come back, a row as if it were alone."""
    values = np.random.default_rng(0).random((2, 3, 5))
    low, high = bootstrap_interval(values)
    assert low.shape == high.shape == (2, 3)
    assert low[1, 2] == pytest.approx(bootstrap_interval(values[1, 2])[0])


def test_no_scatter_has_no_width():
    """Equal samples give an interval of nothing but their value."""
    low, high = bootstrap_interval([2.0, 2.0, 2.0])
    assert low == pytest.approx(2.0)
    assert high == pytest.approx(2.0)


def test_higher_level_is_wider():
    """More certainty takes a wider interval."""
    narrow, wide = bootstrap_interval(FEW, level=0.5), bootstrap_interval(FEW, level=0.9)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_strata_take_out_what_lies_between_them():
    """Two scenarios far apart and each without scatter leave the mean certain."""
    values, strata = [1.0, 1.0, 3.0, 3.0], ["azure", "azure", "mooncake", "mooncake"]
    low, high = bootstrap_interval(values, strata=strata)
    assert (low, high) == (pytest.approx(2.0), pytest.approx(2.0))
    low, high = bootstrap_interval(values)
    assert low < 1.5
    assert high > 2.5


def test_batches_of_draws_change_nothing_but_memory(monkeypatch):
    """All draws are made when they do not fit at once."""
    monkeypatch.setattr(mean_interval, "BATCH", 7)
    low, high = bootstrap_interval(FEW, draws=501)
    assert FEW.min() <= low < FEW.mean() < high <= FEW.max()


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        ([1.0], {}, "1 samples in a group break samples >= 2"),
        ([], {}, "0 samples in a group break samples >= 2"),
        ([1.0, 2.0, 3.0], {"strata": [0, 0, 1]}, "1 samples in a group"),
        ([1.0, 2.0], {"strata": [0]}, "needs one name a sample"),
        ([1.0, np.nan], {}, "must be finite"),
        (1.0, {}, "axis of samples"),
        ([1.0, 2.0], {"draws": 0}, "draws = 0"),
        ([1.0, 2.0], {"level": 1.0}, "level = 1.0"),
    ],
)
def test_refuses_what_has_no_interval(values, options, words):
    """Bad input is named."""
    with pytest.raises(ValueError, match=words):
        bootstrap_interval(values, **options)


def test_overlapping_share_and_the_next_counts_all_before():
    """Ranks are 1, 1, 3 when the first two overlap and the third stands apart."""
    assert shared_ranks([4.0, 1.0, 4.5], [6.0, 2.0, 5.5], [5.1, 1.5, 5.0]).tolist() == [1, 3, 1]


def test_chain_of_neighbours_is_not_one_rank():
    """The third overlaps the second but not the first, and so leads a rank of its own."""
    assert shared_ranks([5.0, 4.0, 3.0], [6.0, 5.5, 4.5], [5.5, 4.8, 3.8]).tolist() == [1, 1, 3]


def test_touching_intervals_overlap():
    """Ends that are equal meet."""
    assert shared_ranks([2.0, 1.0], [3.0, 2.0], [2.5, 1.5]).tolist() == [1, 1]


def test_none_and_one():
    """An empty table has no rank, a single candidate the first; infinite ends are allowed."""
    assert shared_ranks([], [], []).tolist() == []
    assert shared_ranks([-np.inf], [np.inf], [0.0]).tolist() == [1]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_ranks_follow_estimates_and_not_the_order_given(found, random):
    """No rank is better than a higher estimate's, one is first, and any order gives the same."""
    middle = np.array([one[0] for one in found], dtype=float)
    low, high = (middle - [one[1] for one in found], middle + [one[2] for one in found])
    ranks = shared_ranks(low, high, middle)
    if found:
        assert ranks[middle.argmax()] == 1
    for one in range(len(found)):
        for other in range(len(found)):
            if middle[one] > middle[other]:
                assert ranks[one] <= ranks[other]
    order = list(range(len(found)))
    random.shuffle(order)
    assert shared_ranks(low[order], high[order], middle[order]).tolist() == ranks[order].tolist()


@pytest.mark.parametrize(
    ("low", "high", "estimate", "words"),
    [
        ([2.0], [1.0], [1.5], "low <= high"),
        ([np.nan], [1.0], [0.5], "low <= high"),
        ([0.0], [1.0], [np.nan], "rank no failures"),
        ([0.0, 0.0], [1.0, 1.0], [0.5], "one length"),
        (0.0, 1.0, 0.5, "one axis"),
    ],
)
def test_refuses_what_cannot_be_ranked(low, high, estimate, words):
    """Bad input is named."""
    with pytest.raises(ValueError, match=words):
        shared_ranks(low, high, estimate)

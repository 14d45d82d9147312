"""Fewer points show the same: peaks stay, and the ends of distributions."""

import numpy as np
import pytest

from evaluation.report.downsample import cumulative_shares, downsampled


@pytest.mark.parametrize("samples", [0, 1, 9, 10])
def test_a_short_series_stays_as_it_is(samples):
    """Up to the points asked for, all are drawn."""
    time_s, values = downsampled(np.arange(samples), np.ones(samples, int), 10)
    np.testing.assert_array_equal(time_s, np.arange(samples))
    assert len(values) == samples


@pytest.mark.parametrize("samples", [11, 999, 100_003])
@pytest.mark.parametrize("points", [2, 10, 11])
def test_a_long_series_keeps_its_peak_and_trough_in_order(samples, points):
    """Of any length, in at most the points asked for."""
    values = np.random.default_rng(0).normal(size=samples)
    time_s, kept = downsampled(0.5 * np.arange(samples), values, points)
    assert 2 <= len(kept) <= points
    assert (np.diff(time_s) > 0).all()
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    np.testing.assert_array_equal(kept, values[(2 * time_s).astype(int)])


def test_runs_keep_their_own_lowest_and_highest():
    """Two runs of five: 3 and 9, then 0 and 7."""
    time_s, values = downsampled(np.arange(10), np.array([5, 9, 4, 3, 6, 1, 0, 2, 7, 5]), 4)
    np.testing.assert_array_equal(time_s, [1, 3, 6, 8])
    np.testing.assert_array_equal(values, [9, 3, 0, 7])


def test_shares_rise_to_one_over_the_known_values():
    """One nan does not count; equal values are steps."""
    result, share = cumulative_shares(np.array([3.0, 1.0, np.nan, 1.0, 2.0]), 10)
    np.testing.assert_array_equal(result, [1, 1, 2, 3])
    np.testing.assert_array_equal(share, [0.25, 0.5, 0.75, 1])


def test_many_shares_are_downsampled_with_both_ends():
    """A hundred thousand values in eleven points."""
    result, share = cumulative_shares(np.arange(100_001.0), 11)
    np.testing.assert_array_equal(result, np.arange(0, 100_001, 10_000))
    np.testing.assert_allclose(share, (result + 1) / 100_001)


def test_no_values_have_no_shares():
    """Nothing known is nothing drawn."""
    result, share = cumulative_shares(np.array([np.nan]), 10)
    assert len(result) == len(share) == 0

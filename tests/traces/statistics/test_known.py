"""What is not known stays so."""

import numpy as np
import pytest

from traces.statistics.known import correlation, known_mean, known_ratio


def test_ratio_and_mean_leave_out_what_is_not_known():
    """Division by 0 is NaN, and a mean does not count it."""
    found = known_ratio([1.0, 0.0, 3.0], [2, 0, 0])
    assert found[0] == 0.5
    assert np.isnan(found[1:]).all()
    assert known_mean(found) == 0.5
    assert np.isnan(known_mean([]))


def test_correlation_of_what_does_not_vary():
    """It is Pearson's, and NaN for a constant."""
    one = np.random.default_rng(0).normal(size=(2, 9))
    assert correlation(one[0], one[1]) == pytest.approx(np.corrcoef(one)[0, 1])
    assert np.isnan(correlation(np.ones(9), one[1]))

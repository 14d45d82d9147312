"""Distances of loads."""

import numpy as np
import pytest

from traces.generators.loads import distance


def test_by_hand():
    """Shares 1/4, 3/4 and 1/2, 1/2: half of 1/4 + 1/4 would move; log ratios -log 2, log 3/2."""
    found = distance([[1, 3]], [[7, 7]], top=1)
    assert found.total_variation == pytest.approx(0.25)
    assert found.log_ratio_deviation == pytest.approx(np.log(3) / 2)
    assert found.top_shared == 0  # of equal ones the first is the hottest


def test_equal_loads():
    """Distance 0, whatever the totals; also where no expert is hotter."""
    load = np.arange(1.0, 9).reshape(2, 4)
    found = distance(load, 3 * load, top=2)
    assert found.total_variation == pytest.approx(0)
    assert found.correlation == pytest.approx(1)
    assert found.top_shared == 1
    assert distance([[1, 1]], [[1, 1]]).correlation == 1


def test_idle_experts_stay_finite():
    """Half a token, or half of the least share."""
    assert distance([[0, 1]], [[1, 2]]).total_variation == pytest.approx(0)
    assert distance([[0.0, 0.25, 0.75]], [[0.125, 0.25, 0.75]]).total_variation == pytest.approx(0)


@pytest.mark.parametrize(
    ("load", "other", "message"),
    [
        ([[1, 2]], [[1, 2, 3]], "two of the same shape"),
        ([1, 2], [1, 2], "give \\[layers, experts\\]"),
        ([[1, 2], [0, 0]], [[1, 2], [1, 1]], "layer 1 has no load"),
        ([[1, np.inf]], [[1, 1]], "expert 1 is inf"),
    ],
)
def test_odd_loads_are_refused(load, other, message):
    """With where."""
    with pytest.raises(ValueError, match=message):
        distance(load, other)

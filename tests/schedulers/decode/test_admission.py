"""BalanceRoute's score, and who is admitted by it."""

import numpy as np
import pytest

from schedulers.decode.admission import admission_order, f_score


def order(size, load, places, overdue=None):
    """Admission order of plain lists."""
    overdue = np.zeros(len(size), dtype=bool) if overdue is None else np.array(overdue)
    return admission_order(np.array(size, float), np.array(load, float), np.array(places), overdue)


@pytest.mark.parametrize(("size", "worker"), [(3, 0), (10, 0), (4, 1), (9, 1), (7, 2)])
def test_score_is_the_fall_of_idleness(size, worker):
    """Idleness at the barrier, summed over workers, before less after the admission."""
    load = np.array([10, 4, 7])
    after = load.copy()
    after[worker] += size
    fall = (load.max() - load).sum() - (after.max() - after).sum()
    assert f_score(size, load.max() - load[worker], len(load)) == fall


def test_slopes():
    """One token more is worth 1 within the margin and costs workers - 1 above it."""
    assert np.diff(f_score(np.arange(5), 2, 8)).tolist() == [1, 1, -7, -7]


def test_with_places_for_all_the_largest_comes_first():
    """Of equal ones the older."""
    assert order([5, 9, 5], [0, 0], [2, 2]) == [1, 0, 2]


def test_one_place_goes_to_the_largest_that_fits_the_margin():
    """A margin of 8 takes 7, not 9 nor 2; the others wait by age."""
    assert order([9, 2, 7], [12, 20], [1, 0]) == [2, 0, 1]


def test_one_place_goes_to_a_slight_overflow_rather_than_to_a_crumb():
    """With two workers 11 above a margin of 10 scores 9, and 2 within it scores 2."""
    assert order([2, 11], [0, 10], [1, 0])[0] == 1


def test_without_any_margin_the_smallest_is_admitted():
    """On equal loads every token raises the highest."""
    assert order([9, 2, 7], [5, 5, 5], [0, 1, 0])[0] == 1


def test_an_overdue_request_is_admitted_before_all_scores():
    """The request of 9 has waited too long."""
    assert order([9, 2, 7], [12, 20], [1, 0], [True, False, False]) == [0, 1, 2]


def test_of_overdue_requests_the_older_ones():
    """Two places, three overdue."""
    found = order([1, 2, 3, 4], [0, 0], [1, 1], [True, True, True, False])
    assert sorted(found[:2]) == [0, 1]


def test_every_request_is_named_once():
    """With any number of places, none included."""
    size = np.random.default_rng(0).integers(1, 50, 20)
    for place in range(12):
        found = order(size, [3, 1, 2], [place, 0, 2])
        assert sorted(found) == list(range(20))

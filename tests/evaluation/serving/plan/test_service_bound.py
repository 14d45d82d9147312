"""Requests that a rate cannot finish by their deadlines are counted out, and no others."""

import itertools

import numpy as np
import pytest

from evaluation.serving.plan.service_bound import most_requests, most_value


def test_all_fit():
    """Three works of 1 s, each with 1 s of its own, at rate 1."""
    work, release = np.ones(3), np.arange(3.0)
    assert most_requests(work, release, release + 1, 1.0) == 3
    assert most_value(work, np.array([5.0, 6.0, 7.0]), release, release + 1, 1.0) == 18.0


def test_the_largest_is_given_up():
    """Works of 1, 1 and 3 in a window of 2 s at rate 1: two requests at most."""
    work, at_once = np.array([1.0, 1.0, 3.0]), np.zeros(3)
    assert most_requests(work, at_once, at_once + 2, 1.0) == 2


def test_value_goes_by_what_work_is_worth():
    """Two seconds hold the two best of four works of 1 s; half a second more, half the next."""
    work, value, at_once = np.ones(4), np.array([4.0, 1.0, 3.0, 2.0]), np.zeros(4)
    assert most_value(work, value, at_once, at_once + 2, 1.0) == pytest.approx(7.0)
    assert most_value(work, value, at_once, at_once + 2.5, 1.0) == pytest.approx(8.0)


def test_nothing_is_served_without_a_rate():
    """Only works of nothing are done at rate 0."""
    work, at_once = np.array([0.0, 1.0]), np.zeros(2)
    assert most_requests(work, at_once, at_once + 2, 0.0) == 1
    assert most_value(work, np.array([1.0, 5.0]), at_once, at_once + 2, 0.0) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_schedule_does_better(seed):
    """The best subset that preemptive earliest deadline first finishes is within both bounds."""
    random = np.random.default_rng(seed)
    release = np.sort(random.uniform(0, 6, 7))
    work, value = random.uniform(0.5, 2, 7), random.uniform(1, 5, 7)
    due = release + work + random.uniform(0, 1, 7)
    best_count, best_value = 0, 0.0
    for count in range(8):
        for chosen in itertools.combinations(range(7), count):
            if _feasible(work, release, due, chosen):
                best_count = max(best_count, count)
                best_value = max(best_value, value[list(chosen)].sum())
    assert best_count < 7  # else the bounds are not tried
    assert best_count <= most_requests(work, release, due, 1.0)
    assert best_value <= most_value(work, value, release, due, 1.0) + 1e-9


def _feasible(work, release, due, chosen):
    """Return whether every window holds the work within it, which is enough for one server."""
    return all(
        sum(work[i] for i in chosen if release[i] >= start and due[i] <= end) <= end - start + 1e-9
        for start in release[list(chosen)]
        for end in due[list(chosen)]
        if end > start
    )

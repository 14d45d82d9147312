"""The best assignment, by OR-Tools."""

import itertools
import sys

import numpy as np
import pytest

from schedulers.decode.assignment import Assignment
from schedulers.views import HOLD
from tests.schedulers.decode.views import requests, workers


def highest(waiting, pool, chosen):
    """Highest predicted load of those that get a request."""
    load = pool.kv_reserved.copy()
    np.add.at(load, np.array(chosen), waiting.prompt_tokens + waiting.output_tokens)
    return load[np.array(chosen)].max()


def test_it_beats_greedy_packing_where_that_fails():
    """3, 3, 2, 2 and 2 on two workers: largest first ends at 7, the best at 6."""
    waiting = requests([3, 3, 2, 2, 2], [0] * 5)
    pool = workers([0, 0], running=[0, 0])
    assert highest(waiting, pool, Assignment()(waiting, pool)) == 6


@pytest.mark.parametrize("seed", range(4))
def test_no_assignment_is_better(seed):
    """All 3**6 assignments of six requests are tried."""
    random = np.random.default_rng(seed)
    waiting = requests(random.integers(1, 40, 6), random.integers(1, 40, 6))
    pool = workers(random.integers(0, 60, 3))
    found = highest(waiting, pool, Assignment()(waiting, pool))
    assert found == min(highest(waiting, pool, c) for c in itertools.product(range(3), repeat=6))


def test_a_heavier_bystander_hides_nothing():
    """The full worker of 900 does not make all other answers equal."""
    waiting = requests([3, 3, 2, 2, 2], [0] * 5)
    pool = workers([900, 0, 0], running=[9, 0, 0], limit=9)
    assert highest(waiting, pool, Assignment()(waiting, pool)) == 6


@pytest.mark.parametrize(
    ("limit", "capacity", "best"), [([5, 5], 99, 6), ([3, 5], [99, 6], 7), ([1, 5], 99, 9)]
)
def test_limits_and_room_bind_the_solver(limit, capacity, best):
    """6 : 6 is best; 5 free tokens on one makes it 7 : 5, one place on the other 3 : 9."""
    waiting = requests([3, 3, 2, 2, 2], [0] * 5)
    pool = workers([0, 0], running=[0, 0], limit=limit, capacity=capacity)
    found = Assignment()(waiting, pool)
    assert HOLD not in found
    assert (np.bincount(found, minlength=2) <= pool.request_limit).all()
    assert (np.bincount(found, waiting.prompt_tokens, 2) < pool.kv_capacity).all()
    assert highest(waiting, pool, found) == best


def test_one_request_goes_to_the_least_usage():
    """Reservations counted."""
    pool = workers([10, 50], reserved=[900, 60])
    assert Assignment()(requests([5]), pool).tolist() == [1]


def test_what_does_not_fit_is_held():
    """Two places for three requests: the oldest two."""
    pool = workers([0, 0], running=[0, 0], limit=1)
    found = Assignment()(requests([5, 6, 7]), pool)
    assert sorted(found[:2].tolist()) == [0, 1]
    assert found[2] == HOLD


def test_same_input_same_answer():
    """The solver's budget is deterministic."""
    waiting = requests(np.random.default_rng(5).integers(1, 99, 14))
    pool = workers([0, 5, 9, 2])
    first = Assignment(budget=0.1)(waiting, pool)
    np.testing.assert_array_equal(first, Assignment(budget=0.1)(waiting, pool))


def test_a_tiny_budget_still_answers():
    """The hint is the answer then."""
    waiting = requests(np.random.default_rng(5).integers(1, 99, 14))
    assert HOLD not in Assignment(budget=1e-9)(waiting, workers([0, 5, 9, 2]))


@pytest.mark.parametrize("parameters", [{"budget": 0.0}, {"seed": -1}])
def test_bad_parameters_are_refused(parameters):
    """The error names the values."""
    with pytest.raises(ValueError, match="budget > 0 and seed >= 0 must hold"):
        Assignment(**parameters)(requests([5]), workers([0]))


def test_missing_ortools_is_named(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(ImportError, match=r"pip install 'podlab\[ilp\]'"):
        Assignment()(requests([5, 6]), workers([0]))

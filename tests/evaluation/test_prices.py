"""What solvers are told of the machine: seconds of an expert's tokens, price of a move."""

import numpy as np
import pytest

from evaluation import prices
from hardware.kernels import roofline

LOAD = np.full((2, 64), 24.0)  # 16 ranks, 16 tokens each, top-6


def test_cost_is_convex_and_never_falls(executor):
    """As lb.Problem demands it: rising tokens, rising slopes, from 0 on."""
    cost = prices.expert_cost(executor.operators, 4, 1e5)
    assert cost.shape[1] == 2
    assert cost[0, 0] == 0
    assert cost[-1, 0] >= 1e5
    slopes = np.diff(cost[:, 1]) / np.diff(cost[:, 0])
    assert (slopes >= 0).all()
    assert (np.diff(slopes) >= -1e-12 * slopes.max()).all()


def test_a_memory_bound_expert_costs_nearly_the_same_for_one_or_sixty_tokens(executor):
    """Weights are read either way; a hundred times as many tokens cost several times that."""
    cost = prices.expert_cost(executor.operators, 1, 1e5)
    at = np.interp([0, 1, 60, 6000], *cost.T)
    assert at[0] == pytest.approx(at[1])
    assert at[2] < 1.2 * at[1]
    assert at[3] > 5 * at[1]


def test_cost_is_the_operators_roofline(executor):
    """Never above it, and within a tenth of it: what is not convex there is little."""
    operators = executor.operators
    tokens = np.array([1.0, 7, 30, 100, 333, 1000, 5000, 40_000])
    cost = prices.expert_cost(operators, 1, 1e5)
    exact = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    found = np.interp(tokens, *cost.T)
    assert (found <= exact * 1.02).all()  # chords between the points lie above a convex curve
    assert (found >= exact * 0.9).all()


def test_a_window_is_so_many_steps(executor):
    """Eight steps have eight times the tokens and take eight times as long."""
    one = prices.expert_cost(executor.operators, 1, 1000)
    eight = prices.expert_cost(executor.operators, 8, 8000)
    np.testing.assert_allclose(eight, 8 * one)


def test_price_of_a_move_in_seconds(executor):
    """Bytes of an expert over the rate, over the ranks that receive beside, over repeats."""
    price = prices.move_price(executor, LOAD, 16, 1e11, 64, "seconds")
    assert price == pytest.approx(executor.expert_bytes / 1e11 / 16 / 64)


def test_price_of_a_move_in_tokens(executor):
    """So many tokens on every rank as take that long."""
    each = prices.seconds_per_token(executor, LOAD, 16)
    price = prices.move_price(executor, LOAD, 16, 1e11, 64, "tokens")
    assert price * each == pytest.approx(executor.expert_bytes / 1e11 / 16 / 64)
    extra = 0.1 * 64 * 24 / 16  # tokens a rank
    more = (
        executor.ideal(1.1 * LOAD, 16, 1).layers.mean() - executor.ideal(LOAD, 16, 1).layers.mean()
    )
    assert each == pytest.approx(more / extra)


def test_an_idle_window_has_no_price(executor):
    """Where no token costs anything, a move is not priced in tokens."""
    assert prices.move_price(executor, np.zeros((2, 64)), 16, 1e11, 64, "tokens") == 0

"""Prices for solvers: seconds of an expert's tokens, and the price of a move."""

import numpy as np
import pytest

import lb
from evaluation.replay import prices
from hardware import Device, Model, Operators
from hardware.kernels import roofline

LOAD = np.full((2, 64), 24.0)  # 16 ranks, 16 tokens each, top-6


def test_cost_is_convex_and_never_falls(executor):
    """The cost starts at 0 tokens, and its slope never falls, as lb.Problem demands."""
    cost = prices.expert_cost(executor.operators, 4, 1e5)
    assert cost.shape[1] == 2
    assert cost[0, 0] == 0
    assert cost[-1, 0] >= 1e5
    slopes = np.diff(cost[:, 1]) / np.diff(cost[:, 0])
    assert (slopes >= 0).all()
    assert (np.diff(slopes) >= -1e-12 * slopes.max()).all()


def test_a_memory_bound_expert_costs_nearly_the_same_for_one_or_sixty_tokens(executor):
    """Reading the weights dominates up to 60 tokens; 6,000 tokens cost several times more."""
    cost = prices.expert_cost(executor.operators, 1, 1e5)
    at = np.interp([0, 1, 60, 6000], *cost.T)
    assert at[0] == pytest.approx(at[1])
    assert at[2] < 1.2 * at[1]
    assert at[3] > 5 * at[1]


def test_cost_is_the_operators_roofline(executor):
    """The convex cost lies within 10 % below and 2 % above the roofline."""
    operators = executor.operators
    tokens = np.array([1.0, 7, 30, 100, 333, 1000, 5000, 40_000])
    cost = prices.expert_cost(operators, 1, 1e5)
    exact = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    approximate = np.interp(tokens, *cost.T)
    assert (
        approximate <= exact * 1.02
    ).all()  # a chord between two points lies above a convex curve
    assert (approximate >= exact * 0.9).all()


def test_a_window_is_so_many_steps(executor):
    """A window of eight steps has eight times the tokens and takes eight times as long."""
    one_step = prices.expert_cost(executor.operators, 1, 1000)
    eight_steps = prices.expert_cost(executor.operators, 8, 8000)
    np.testing.assert_allclose(eight_steps, 8 * one_step)


def test_price_of_a_move_in_seconds(executor):
    """The price is bytes / rate, shared by 16 ranks."""
    price = prices.move_price(executor, LOAD, 16, 1e11, "seconds")
    assert price == pytest.approx(executor.expert_bytes / 1e11 / 16)


def test_price_of_a_move_in_tokens(executor):
    """The price in tokens is the price in seconds over the seconds per token."""
    each = prices.seconds_per_token(executor, LOAD, 16)
    price = prices.move_price(executor, LOAD, 16, 1e11, "tokens")
    assert price * each == pytest.approx(executor.expert_bytes / 1e11 / 16)
    extra = 0.1 * 64 * 24 / 16  # tokens a rank
    more = (
        executor.ideal(1.1 * LOAD, 16, 1).layers.mean() - executor.ideal(LOAD, 16, 1).layers.mean()
    )
    assert each == pytest.approx(more / extra)


def test_an_idle_window_has_no_price(executor):
    """Without tokens there is no price in tokens."""
    assert prices.move_price(executor, np.zeros((2, 64)), 16, 1e11, "tokens") == 0


@pytest.mark.parametrize("most", [0.0, 1.0, 2.0, 2.5, 700.0])
@pytest.mark.parametrize(
    ("device", "model"), [("h800", "deepseek-v3"), ("ascend-910c-die", "olmoe-1b-7b")]
)
def test_a_problem_takes_any_cost(device, model, most):
    """The cost is valid for any device, model and load, also for an idle window."""
    operators = Operators(Device.preset(device), Model.preset(model))
    cost = prices.expert_cost(operators, 8, most)
    problem = lb.Problem(np.ones((1, 64)), 16, 5, expert_cost=cost)
    assert problem.objective == "seconds"
    assert cost[-1, 0] >= most


def test_cost_meets_the_operators_at_its_points(executor):
    """Every point except the one at 0 tokens lies on the roofline."""
    operators = executor.operators
    cost = prices.expert_cost(operators, 8, 1e5)
    tokens = cost[1:, 0] / 8
    exact = roofline(operators.expert_memory_s(tokens), operators.expert_compute_s(tokens))
    np.testing.assert_allclose(cost[1:, 1], 8 * exact, rtol=1e-12)
    assert len(cost) > 5


def test_weights_of_an_expert_by_hand(executor):
    """An expert has three INT8 matrices of 2,048 x 1,408, read at 84 % of 1.6 TB/s.

    One transfer at 1e11 B/s counts for 1 of 16 ranks.
    """
    weights = 3 * 2048 * 1408
    cost = prices.expert_cost(executor.operators, 1, 100)
    assert cost[0, 1] == pytest.approx(weights / (0.84 * 1.6e12), rel=0.01)
    price = prices.move_price(executor, LOAD, 16, 1e11, "seconds")
    assert price == pytest.approx(weights / 1e11 / 16)
    assert prices.move_price(executor, LOAD, 32, 1e11, "seconds") == pytest.approx(price / 2)
    in_tokens = prices.move_price(executor, LOAD, 16, 1e11, "tokens")
    assert prices.move_price(executor, LOAD, 16, 5e10, "tokens") == pytest.approx(2 * in_tokens)


@pytest.mark.parametrize("mean", [1.0, 20.0, 400.0])
def test_tokens_tell_the_slowest_rank_no_worse(executor, mean):
    """With equally many slots per rank, tokens predict the slowest rank as well as the cost does.

    So planning in seconds gains nothing in the suite ``seconds``. If a better cost breaks this
    test, update the comment of seconds.toml.
    """
    by_tokens, by_cost = [], []
    for seed in range(20):
        load = mean * np.random.default_rng(seed).lognormal(size=(1, 64))
        placement = lb.solve(lb.Problem(load, 16, 5), "random", seed=seed)
        each = np.take_along_axis(
            load / placement.replica_count, placement.physical_to_logical, axis=1
        ).reshape(16, 5)
        seconds = executor.operators.experts_s(each)
        cost = prices.expert_cost(executor.operators, 1, load.max())
        for correlations, guess in ((by_tokens, each), (by_cost, np.interp(each, *cost.T))):
            orders = [np.argsort(np.argsort(row)) for row in (guess.sum(axis=1), seconds)]
            correlations.append(np.corrcoef(*orders)[0, 1])
    assert np.mean(by_tokens) >= np.mean(by_cost)

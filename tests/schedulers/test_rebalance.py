"""When to rebalance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lb
import schedulers
from schedulers.rebalance import ForecastGain, Threshold

LOAD = np.ones((1, 1, 2))
PLACEMENT = lb.Placement([[0, 1]], 2)

#: Two layers on two ranks: balancedness 1 and 0.5 in the last window, the first is all even.
TWO_LAYERS = lb.Placement([[0, 1], [0, 1]], 2)
SKEWED = np.array([[[3, 3], [3, 3]], [[4, 4], [4, 0]]])

#: Rank 0 holds both heavy experts, 16 of 20 tokens; swapping 1 and 2 gives 10 and 10.
LOPSIDED = lb.Placement([[0, 1, 2, 3]], 2)
HOT_PAIR = np.array([[[8, 8, 2, 2]]])


def test_interval_counts_windows():
    """Every third window is due."""
    policy = schedulers.make_rebalance("interval", windows=3)
    due = [policy(seen, LOAD, PLACEMENT) for seen in range(1, 7)]
    assert due == [False, False, True, False, False, True]


def test_never_is_never():
    """The start-up placement stays."""
    assert not schedulers.make_rebalance("never")(5, LOAD, PLACEMENT)


def test_impossible_interval_and_unknown_name():
    """Errors name the value and the nearest name."""
    with pytest.raises(ValueError, match="windows = 0 < 1"):
        schedulers.make_rebalance("interval", windows=0)(1, LOAD, PLACEMENT)
    with pytest.raises(ValueError, match="unknown rebalance policy 'interva': did you mean"):
        schedulers.make_rebalance("interva")


@pytest.mark.parametrize(("name", "value"), [("layers", 0.75), ("time", 6 / 8)])
def test_threshold_is_strict_and_sees_the_last_window(name, value):
    """At the threshold nothing happens, just above the value the solver is asked."""
    # layers: (1 + 0.5) / 2; time: (4 + 2) / (4 + 4)
    at = schedulers.make_rebalance("threshold", balancedness=value, over=name)
    above = schedulers.make_rebalance("threshold", balancedness=value + 1e-9, over=name)
    assert not at(2, SKEWED, TWO_LAYERS)
    assert above(2, SKEWED, TWO_LAYERS)
    assert not above(1, SKEWED[:1], TWO_LAYERS)


def test_threshold_over_time_weighs_heavy_layers():
    """An empty layer's imbalance is worth nothing in time, and half in the mean over layers."""
    load = np.array([[[400, 400], [1, 0]]])
    assert Threshold(0.9, "layers")(1, load, TWO_LAYERS)
    assert not Threshold(0.9, "time")(1, load, TWO_LAYERS)


def test_threshold_judges_by_the_dispatcher_in_use():
    """What the even split leaves uneven, the optimal one may not."""
    spread = lb.Placement([[0, 1, 0, 2]], 2)
    load = np.array([[[6, 6, 0]]])
    assert Threshold(0.9)(1, load, spread)
    assert not Threshold(0.9, dispatcher="optimal")(1, load, spread)


def test_threshold_without_load_is_content():
    """Idle ranks are balanced."""
    for over in ("layers", "time"):
        assert not Threshold(1.0, over)(1, np.zeros((1, 2, 2)), TWO_LAYERS)


def test_gain_and_price_by_hand():
    """Six tokens less on the hotter rank, half of it, for three windows; a quarter of two slots."""
    policy = ForecastGain(
        hold_windows=3, reach=0.5, seconds_per_token=0.1, moved=0.25, seconds_per_move=2.0
    )
    assert policy.gain_s(HOT_PAIR, LOPSIDED) == pytest.approx(6 * 0.5 * 3 * 0.1)
    assert policy.price_s(LOPSIDED) == pytest.approx(0.25 * 2 * 2.0)
    assert not policy(1, HOT_PAIR, LOPSIDED)
    longer = ForecastGain(hold_windows=3.4, seconds_per_token=0.1, seconds_per_move=2.0)
    assert longer(1, HOT_PAIR, LOPSIDED)


def test_no_reach_or_a_placement_at_the_bound_gains_nothing():
    """However cheap a move, what gains nothing is not asked for."""
    assert not ForecastGain(reach=0.0, seconds_per_move=0.0)(1, HOT_PAIR, LOPSIDED)
    swapped = lb.Placement([[0, 2, 1, 3]], 2)
    assert ForecastGain().gain_s(HOT_PAIR, swapped) == pytest.approx(0, abs=1e-12)


def test_gain_follows_the_forecaster():
    """A hot pair of long ago counts for the mean and not for the last window."""
    load = np.concatenate([HOT_PAIR, np.full((1, 1, 4), 5)])
    assert ForecastGain(forecaster="last").gain_s(load, LOPSIDED) == 0
    assert ForecastGain(forecaster="mean").gain_s(load, LOPSIDED) > 0


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), min_size=6, max_size=6), st.integers(0, 2**32 - 1))
def test_full_reach_is_an_upper_estimate(load, seed):
    """No placement that a solver finds spares the most loaded ranks more than the gain says."""
    problem = lb.Problem([load], 2, 4)
    before = lb.solve(problem, lb.make("random", seed=seed))
    after = lb.solve(problem, "greedy")
    peaks = [placed.rank_load([load]).max() for placed in (before, after)]
    policy = ForecastGain(forecaster="last", reach=1.0, seconds_per_token=1.0)
    assert policy.gain_s(problem.load, before) >= peaks[0] - peaks[1] - 1e-9


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (Threshold(1.5), "balancedness = 1.5 > 1"),
        (Threshold(over="ranks"), "over = 'ranks' is not 'layers' or 'time'"),
        (Threshold(dispatcher="evn"), "unknown dispatcher 'evn': did you mean 'even'"),
        (ForecastGain(reach=-0.1), "reach = -0.1 < 0"),
        (ForecastGain(moved=2.0), "moved = 2 > 1"),
        (ForecastGain(hold_windows=0), "hold_windows = 0 breaks hold_windows > 0"),
        (ForecastGain(seconds_per_token=-1.0), "seconds_per_token = -1 < 0"),
        (ForecastGain(seconds_per_move=float("nan")), "seconds_per_move = nan is not a finite"),
        (ForecastGain(forecaster="lst"), "unknown forecaster 'lst': did you mean 'last'"),
    ],
)
def test_errors_name_the_parameter(policy, message):
    """A parameter out of range is named with its value."""
    with pytest.raises(ValueError, match=message):
        policy(1, HOT_PAIR, LOPSIDED)


@pytest.mark.parametrize("name", ["interval", "threshold", "forecast-gain", "never"])
def test_registered_policies_answer_a_bool_and_change_nothing(name):
    """Every registered policy decides, and leaves the load as it was."""
    load = SKEWED.copy()
    assert isinstance(schedulers.make_rebalance(name)(2, load, TWO_LAYERS), bool)
    assert (load == SKEWED).all()

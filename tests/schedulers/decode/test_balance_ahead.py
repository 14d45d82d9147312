"""BalanceRoute with look-ahead."""

import numpy as np
import pytest

from schedulers.decode.balance import Balance
from schedulers.decode.balance_ahead import BalanceAhead, expected_load, expected_size
from schedulers.views import HOLD
from tests.schedulers.decode.views import requests, workers


def test_load_now_is_what_is_held():
    """At step 0 nothing has grown and nothing has finished."""
    found = expected_load(workers([70, 0], running=[3, 0]), np.array([0.0]))
    assert found[:, 0].tolist() == [70, 0]


def test_load_grows_by_a_token_a_step_for_each_request():
    """With ends far away 4 requests add 40 tokens in 10 steps."""
    pool = workers([100], running=[4], reserved=[10**12])
    assert expected_load(pool, np.array([10.0]))[0, 0] == pytest.approx(140)


def test_load_falls_as_requests_finish():
    """With 20 tokens left on the mean, a share exp(-1) is there after 20 steps, 20 longer."""
    pool = workers([1000], running=[2], reserved=[1040])
    assert expected_load(pool, np.array([20.0]))[0, 0] == pytest.approx(np.exp(-1) * 1040)


def test_a_request_holds_more_until_it_is_finished():
    """Prompt 7 and 3 output tokens, at steps 0, 2 and 3."""
    assert expected_size(requests([7], [3]), np.array([0.0, 2.0, 3.0])).tolist() == [[7, 9, 0]]


def test_a_load_about_to_fall_is_preferred():
    """Both hold 1000 below 1200; one is about to finish: only look-ahead sees it."""
    pool = workers([1200, 1000, 1000], running=[2, 1, 2], reserved=[9000, 9000, 1004])
    assert BalanceAhead()(requests([400], [500]), pool).tolist() == [2]
    assert Balance()(requests([400], [500]), pool).tolist() == [1]


def test_no_horizon_compares_what_is_held_now():
    """With horizon 0 the emptiest worker gets what overflows."""
    pool = workers([100, 50, 45], reserved=[110, 60, 9000])
    assert BalanceAhead(horizon=0, points=1)(requests([60]), pool).tolist() == [2]


def test_requests_of_one_call_see_each_other():
    """Two equal ones on two equal workers are parted."""
    found = BalanceAhead()(requests([50, 50]), workers([0, 0], running=[0, 0]))
    assert sorted(found.tolist()) == [0, 1]


def test_the_only_place_goes_to_the_request_that_fills_the_margin():
    """As without look-ahead."""
    pool = workers([1000, 600], running=[4, 3], limit=4, reserved=[10**6, 10**6])
    assert BalanceAhead()(requests([700, 5, 350], [999] * 3), pool).tolist() == [HOLD, HOLD, 1]


def test_nobody_up():
    """All requests are held."""
    assert BalanceAhead()(requests([1]), workers([0], up=[False])).tolist() == [HOLD]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"horizon": -1}, "horizon = -1"),
        ({"points": 0}, "points = 0"),
        ({"discount": 0.0}, "discount = 0.0"),
        ({"discount": 1.1}, "discount = 1.1"),
        ({"patience_s": float("nan")}, "patience_s = nan"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    """The error names the value."""
    with pytest.raises(ValueError, match=message):
        BalanceAhead(**parameters)(requests([1]), workers([0]))

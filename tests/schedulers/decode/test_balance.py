"""BalanceRoute without prediction."""

import pytest

import schedulers
from schedulers.decode.balance import Balance
from schedulers.views import HOLD
from tests.schedulers.decode.steps import Toy, each_in_turn, mean_of_highest_load
from tests.schedulers.decode.views import requests, workers


def test_an_overflow_is_kept_as_small_as_possible():
    """60 tokens fit below 100 on no worker; the emptiest one is raised least."""
    pool = workers([100, 50, 45], running=[1, 1, 9])
    assert Balance()(requests([60]), pool).tolist() == [2]


def test_within_the_margin_fewer_requests_win():
    """20 tokens fit on both of the lower workers; that with 2 requests grows more slowly."""
    pool = workers([100, 50, 70], running=[1, 5, 2])
    assert Balance()(requests([20]), pool).tolist() == [2]


def test_the_largest_is_placed_first():
    """3, 3 and 6 end as 6 and 3 + 3, though 6 is the youngest."""
    found = Balance()(requests([3, 3, 6]), workers([0, 0], running=[0, 0])).tolist()
    assert found[0] == found[1] != found[2]


def test_the_only_place_goes_to_the_request_that_fills_the_margin():
    """Below 100 there are 40 tokens of margin on the worker with a place."""
    pool = workers([100, 60], running=[4, 3], limit=4)
    assert Balance()(requests([70, 5, 35]), pool).tolist() == [HOLD, HOLD, 1]


def test_patience_ends():
    """The oldest gets the place once it has waited long enough."""
    pool = workers([100, 60], running=[4, 3], limit=4)
    waiting = requests([70, 5, 35], waited_s=[5.0, 0.0, 0.0])
    assert Balance(patience_s=5.0)(waiting, pool).tolist() == [1, HOLD, HOLD]


def test_a_load_that_is_down_is_no_envelope():
    """Only those that are up meet at the barrier: 30 tokens overflow 50, not 900."""
    pool = workers([900, 50, 40], running=[1, 1, 9], up=[False, True, True])
    assert Balance()(requests([30]), pool).tolist() == [2]


def test_nobody_up():
    """All requests are held."""
    assert Balance()(requests([1, 2]), workers([0], up=[False])).tolist() == [HOLD, HOLD]


def test_negative_patience_is_refused():
    """The error names the value."""
    with pytest.raises(ValueError, match="patience_s = -1; patience_s >= 0"):
        Balance(patience_s=-1)(requests([1]), workers([0]))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["balance", "balance-ahead"])
def test_mean_of_the_highest_load_is_below_round_robin(name, seed):
    """A dozen DP groups, sticky requests, heavy-tailed lengths: at least a tenth lower."""
    toy = Toy(seed=seed, steps=800)
    turn, turn_served = mean_of_highest_load(each_in_turn, toy)
    highest, served = mean_of_highest_load(schedulers.make_decode_router(name), toy)
    assert served == turn_served
    assert highest < 0.9 * turn

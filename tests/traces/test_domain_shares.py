"""Requests are divided over domains as the shares say, sessions whole."""

import numpy as np
import pytest

from tests.traces.test_requests import trace
from traces import RequestTrace
from traces.arrivals import PoissonArrivals
from traces.domain_shares import with_domains


def many(session=None):
    """Twenty thousand requests."""
    ones = np.ones(20_000, dtype=int)
    return RequestTrace(PoissonArrivals(1.0)(20_000), ones, ones, session=session)


def test_shares_are_met():
    """Within five standard errors; they need not add up to 1."""
    made = with_domains(many(), {"chat": 3, "code": 1})
    assert made.domain_names == ("chat", "code")
    assert (made.domain == 1).mean() == pytest.approx(0.25, abs=5 * (0.1875 / 20_000) ** 0.5)


def test_a_session_has_one_domain():
    """Those outside any are drawn one by one."""
    session = np.random.default_rng(0).integers(-1, 2000, 20_000)
    made = with_domains(many(session), {"a": 1, "b": 1})
    for number in range(2000):
        assert len(np.unique(made.domain[session == number])) <= 1
    loose = made.domain[session == -1]
    assert 0 < loose.mean() < 1


def test_a_share_of_zero_is_nobody():
    """The name stays."""
    made = with_domains(many(), {"a": 0.0, "b": 1.0})
    assert (made.domain == 1).all()


def test_seeds_decide():
    """Equal seeds give equal domains."""
    one, two, other = (with_domains(many(), {"a": 1, "b": 1}, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.domain, two.domain)
    assert (one.domain != other.domain).any()


@pytest.mark.parametrize("shares", [{}, {"a": -1.0, "b": 2.0}, {"a": 0.0}, {"a": float("nan")}])
def test_wrong_shares_are_refused(shares):
    """The message says how to fix it."""
    with pytest.raises(ValueError, match="give shares that are not negative, one above 0"):
        with_domains(trace(), shares)

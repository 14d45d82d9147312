"""Shares of domains that change over time."""

import numpy as np
import pytest

from traces import RequestTrace
from traces.workload import DomainSchedule

ENTRIES = [(0.0, {"chat": 3, "code": 1}), (100.0, {"code": 1})]


def test_shares_hold_until_the_next_entry():
    """And start over after a period."""
    schedule = DomainSchedule(ENTRIES, period_s=200.0)
    assert schedule.names == ("chat", "code")
    shares = schedule.shares(np.array([0.0, 99.0, 100.0, 250.0]))
    np.testing.assert_allclose(shares[:, 0], [0.75, 0.75, 0.0, 0.75])


def test_gradual_shares_lie_between_entries():
    """Half-way they are the mean; after the last entry they go back to the first."""
    schedule = DomainSchedule(ENTRIES, gradual=True, period_s=200.0)
    np.testing.assert_allclose(schedule.shares(np.array([50.0, 150.0]))[:, 0], 0.375)


def test_requests_have_the_shares_of_their_arrival():
    """4,000 requests in either part, within 5 deviations; sessions keep their first domain."""
    times = np.concatenate([np.linspace(0, 99, 4000), np.linspace(100, 199, 4000)])
    session = np.where(np.arange(8000) % 2000 == 0, 7, -1)
    columns = (times, np.ones(8000, int), np.ones(8000, int), session)
    found = DomainSchedule(ENTRIES, seed=1)(RequestTrace(*columns))
    assert (found.domain[:4000] == 0).mean() == pytest.approx(0.75, abs=0.035)
    alone = session < 0
    assert (found.domain[4000:][alone[4000:]] == 1).all()
    assert len(set(found.domain[session == 7])) == 1


@pytest.mark.parametrize(
    ("entries", "options", "text"),
    [
        ([], {}, "rise from 0"),
        ([(5.0, {"a": 1})], {}, "rise from 0"),
        ([(0.0, {"a": 1}), (0.0, {"a": 1})], {}, "rise from 0"),
        ([(0.0, {"a": 0})], {}, "all 0"),
        ([(0.0, {"a": -1})], {}, ">= 0"),
        ([(0.0, {})], {}, ">= 0"),
        (ENTRIES, {"period_s": 50.0}, "period_s = 50.0 <= 100.0"),
    ],
)
def test_a_schedule_out_of_order_is_refused(entries, options, text):
    """The error names what is wrong."""
    with pytest.raises(ValueError, match=text):
        DomainSchedule(entries, **options)

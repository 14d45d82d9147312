"""Goodput counts the requests that kept the SLO, per second in which requests arrive."""

import pytest

from evaluation.serving.results.goodput import goodput
from evaluation.serving.results.slo import Slo
from tests.evaluation.serving.results.requests import request_log

SLO = Slo(ttft_s=1.0, tpot_s=1.0)


def test_the_span_is_that_of_arrivals():
    """Two of three answers take at most 1 s a token: 2 + 3 tokens in 2 s of arrivals, 2 chips."""
    log = request_log([0.0, 1.0, 2.0], [0.5, 1.5, 2.5], [1.0, 2.5, 8.5], [2, 3, 3])
    good = goodput(log, SLO, 2.0, 8.5)
    assert (good.span, good.span_s) == ("arrivals", 2.0)
    assert good.per_chip == pytest.approx((2 + 3) / 2 / 2)
    assert good.share == pytest.approx(2 / 3)
    assert good.as_dict()["output_tokens_per_s_per_chip"] == good.per_chip


def test_warm_up_is_left_out():
    """The first request arrives before the warm-up ends; one of the other two keeps the SLO."""
    log = request_log([0.0, 1.0, 2.0], [0.5, 1.5, 2.5], [1.0, 2.5, 8.5], [2, 3, 3])
    good = goodput(log, SLO, 2.0, 8.5, warm_up_s=1.0)
    assert good.per_chip == pytest.approx(3 / (2.0 - 1.0) / 2)
    assert good.share == pytest.approx(1 / 2)


def test_a_request_in_flight_breaks_the_slo():
    """The third request has its first token in time, and no last one."""
    log = request_log([0.0, 1.0, 2.0], [0.5, 1.5, 2.5], [1.0, 2.5, float("nan")], [2, 3, 3])
    assert goodput(log, SLO, 2.0, 9.0).share == pytest.approx(2 / 3)


def test_a_burst_is_measured_over_the_simulation():
    """Requests that all arrive at 0 have no span of arrivals: 4 tokens in 5 s on one chip."""
    log = request_log([0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [2, 2])
    good = goodput(log, SLO, 1.0, 5.0)
    assert (good.span, good.span_s) == ("simulation", 5.0)
    assert good.per_chip == pytest.approx(4 / 5)

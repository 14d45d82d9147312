"""Goodput says what requests that kept the SLO are worth, in one place."""

import numpy as np
import pytest

from evaluation.serving.engine.log import RequestLog, SampleLog
from evaluation.serving.results.goodput import scores
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from traces import RequestTrace


def summary_of(first, finish, output, until_s, warm_up_s=0.0, slo=None):
    """Return the summary of requests that arrive at 0, 1, 2 … s, on two chips."""
    count = len(output)
    log = RequestLog(RequestTrace(np.arange(count, dtype=float), np.full(count, 8), output))
    log.prefill_start_s[:] = log.arrival_s
    log.first_token_s[:] = first
    log.finish_s[:] = finish
    log.generated[:] = np.where(np.isnan(finish), 1, output)
    log.second_token_s[:] = np.where(np.array(output) > 1, finish, np.nan)
    limits = Slo(1.0, 1.0) if slo is None else slo
    return summarise(log, SampleLog(["decode-0"]), limits, 2.0, until_s, warm_up_s)


def test_goodput_is_of_the_span():
    """Two of three answers keep 1 s a token: 2 + 3 tokens in 2 s of arrivals on two chips."""
    summary = summary_of([0.5, 1.5, 2.5], [1.0, 2.5, 8.5], [2, 3, 3], 8.5)
    found = scores(summary, span_s=2.0)
    assert found["goodput"] == pytest.approx(5 / 2 / 2)
    assert found["share"] == pytest.approx(2 / 3)
    assert scores(summary)["goodput"] == pytest.approx(5 / 8.5 / 2)
    assert found["tpot_p50_s"] == pytest.approx(0.5)


def test_warm_up_is_left_out():
    """The first request arrives before the warm-up ends and counts in nothing."""
    summary = summary_of([0.5, 1.5, 2.5], [1.0, 2.5, 8.5], [2, 3, 3], 8.5, warm_up_s=1.0)
    found = scores(summary, span_s=2.0)
    assert found["goodput"] == pytest.approx(3 / 2 / 2)
    assert found["share"] == pytest.approx(1 / 2)


def test_one_in_flight_breaks_the_promise_and_hides_percentiles():
    """The slowest request has no TPOT yet; a p99 of the others would flatter."""
    summary = summary_of([0.5, 1.5, 2.5], [1.0, 2.5, np.nan], [2, 3, 3], 9.0)
    found = scores(summary)
    assert found["share"] == pytest.approx(2 / 3)
    assert found["tpot_p99_s"] is None
    assert found["ttft_p99_s"] is None


def test_answers_of_one_token_have_no_tpot():
    """They keep the SLO by their TTFT alone."""
    found = scores(summary_of([0.5, 1.5], [0.5, 1.5], [1, 1], 2.0))
    assert found["share"] == 1.0
    assert found["tpot_p50_s"] is None
    assert found["ttft_p50_s"] == pytest.approx(0.5)


@pytest.mark.parametrize("span_s", [0.0, -1.0, 9.0])
def test_span_outside_the_measured_time_is_refused(span_s):
    """A span must be within the seconds that were measured."""
    summary = summary_of([0.5], [1.0], [2], 8.5)
    with pytest.raises(ValueError, match=r"0 < span_s <= 8\.5"):
        scores(summary, span_s)

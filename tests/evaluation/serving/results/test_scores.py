"""Scores of a simulation leave out percentiles that would describe the quick requests alone."""

import pytest

from evaluation.serving.engine.sample_log import SampleLog
from evaluation.serving.results.scores import scores
from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import summarise
from tests.evaluation.serving.results.requests import request_log


def scores_of(first, finish, output, until_s):
    """Return the scores of requests that arrive at 0, 1, 2 … s, on two chips."""
    log = request_log(range(len(output)), first, finish, output)
    return scores(summarise(log, SampleLog(["decode-0"]), Slo(1.0, 1.0), 2.0, until_s))


def test_goodput_and_share_are_those_of_the_summary():
    """Two of three requests keep 1 s a token: 2 + 3 tokens in 2 s of arrivals on two chips."""
    numbers = scores_of([0.5, 1.5, 2.5], [1.0, 2.5, 8.5], [2, 3, 3], 8.5)
    assert numbers["goodput"] == pytest.approx((2 + 3) / 2 / 2)
    assert numbers["share"] == pytest.approx(2 / 3)
    assert numbers["tpot_p50_s"] == pytest.approx(0.5)  # of 0.5, 0.5 and 3 s a token


def test_percentiles_are_unknown_with_requests_in_flight():
    """One of three is in flight, more than 1 %: it is the slowest, and has no TPOT."""
    numbers = scores_of([0.5, 1.5, 2.5], [1.0, 2.5, float("nan")], [2, 3, 3], 9.0)
    assert numbers["tpot_p99_s"] is None
    assert numbers["ttft_p99_s"] is None


def test_answers_of_one_token_have_no_tpot():
    """Answers of one token keep the SLO by their TTFT alone."""
    numbers = scores_of([0.5, 1.5], [0.5, 1.5], [1, 1], 2.0)
    assert numbers["share"] == 1.0
    assert numbers["tpot_p50_s"] is None
    assert numbers["ttft_p50_s"] == pytest.approx(0.5)

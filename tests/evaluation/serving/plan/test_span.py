"""Deployments are judged on a span of arrivals long enough for queues to fill."""

import dataclasses

import numpy as np
import pytest

from evaluation.serving.plan.span import plan_span
from tests.evaluation.serving.planning import busy, generated


def test_default_span():
    """It is 60 s after two requests' time; it ends with the last arrival, and scores say so."""
    span = plan_span(busy())
    assert 59.0 < span.span_s <= 60.0
    assert span.warm_up_s == pytest.approx(2 * span.request_s, rel=0.1)
    assert span.warm_up_s + span.span_s == pytest.approx(span.trace.arrival_s[-1])
    assert span.scenario.requests == span.trace.num_requests
    assert span.scenario.warm_up_s == span.warm_up_s
    assert span.warnings == ()


def test_long_answers_lengthen_the_default():
    """A request of 1,001 tokens takes 2 + 40 s at the pace of the SLO: four of these are scored."""
    span = plan_span(generated(1, 64, 1001))
    assert span.request_s == pytest.approx(42.0)
    assert 4 * 42.0 - 3.0 < span.span_s <= 4 * 42.0  # one request a second arrives
    assert span.warnings == ()


def test_generated_requests_are_as_many_as_needed():
    """Eight are given; at 10 a second some 600 + warm-up are played, and begin with the same."""
    given = generated(10, 64, 11)
    span = plan_span(given)
    assert span.trace.num_requests == pytest.approx(10 * (60 + span.warm_up_s), rel=0.1)
    short = plan_span(given, requests=8)
    assert np.array_equal(span.trace.arrival_s[:8], short.trace.arrival_s)


def test_the_last_deadline_is_the_end():
    """Whoever arrives last and keeps TTFT and TPOT to the end has finished by then."""
    span = plan_span(generated(10, 64, 11), span_s=20.0)
    assert span.until_s == pytest.approx(span.trace.arrival_s[-1] + 2.0 + 10 * 0.04)


def test_short_spans_are_warned_of():
    """A second of arrivals is too short, and so are a few requests; the message has the fix."""
    for span in (plan_span(busy(), span_s=1.0), plan_span(busy(), requests=200)):
        assert len(span.warnings) == 1
        assert "queues do not fill" in span.warnings[0]
        assert "--span" in span.warnings[0]


def test_a_trace_that_ends_early_is_warned_of():
    """What there is gets divided: a third is warm-up at most."""
    span = plan_span(busy(requests=1000), span_s=300.0)
    assert any("requests end after" in one for one in span.warnings)
    assert 0 < span.warm_up_s <= span.trace.arrival_s[-1] / 3
    assert span.span_s == pytest.approx(span.trace.arrival_s[-1] - span.warm_up_s)


def test_requests_at_once():
    """They have no span; a burst of so many has, and is scored to its end."""
    at_once = generated(1, 64, 11)
    at_once = dataclasses.replace(
        at_once, generate={k: v for k, v in at_once.generate.items() if k != "rate"}
    )
    with pytest.raises(ValueError, match="arrive at once"):
        plan_span(at_once)
    span = plan_span(at_once, requests=5)
    assert span.span_s is None
    assert span.measured.sum() == 5


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"span_s": 0.0}, "0 < span"),
        ({"span_s": float("inf")}, "0 < span"),
        ({"warm_up_s": -1.0}, "0 <= warm-up"),
        ({"span_s": 10.0, "requests": 5}, "give one"),
        ({"warm_up_s": 60.0, "requests": 5}, "> half of"),
        ({"warm_up_s": 20.0, "span_s": 10.0}, "> half of"),
    ],
)
def test_impossible_times_are_refused(given, words):
    """The option and the inequality are named."""
    with pytest.raises(ValueError, match=words):
        plan_span(busy(), **given)

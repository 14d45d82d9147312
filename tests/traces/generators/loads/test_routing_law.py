"""Routing laws whose domains are conditions."""

import numpy as np
import pytest

from traces import generators
from traces.generators import loads
from traces.generators.loads import Curve, LoadLaw, routing_law

LONG, SHORT = "decode_in1000out1000", "decode_in2000out100"


def test_counts_follow_the_conditions():
    """Stretch by stretch of a schedule: total variation to the law below 0.01."""
    law = loads.preset("deepseek-r1")
    schedule = ((4, (1, 0)), (4, (0, 1)))
    routing = routing_law(law, [LONG, SHORT], schedule=schedule, update_steps=4, phase="decode")
    counts = generators.trace(routing, 8).counts
    for place, condition in enumerate((LONG, SHORT)):
        made = counts[4 * place : 4 * place + 4].sum(axis=0)
        assert loads.distance(made, law.share(condition)).total_variation < 0.01


def test_mixtures_and_shape():
    """Given as one domain; model, shape and phase are the law's and the caller's."""
    law = loads.preset("qwen3-235b")
    routing = routing_law(law, [{LONG: 1, "prefill_in512": 1}], step_tokens=100)
    assert (routing.model, routing.layers, routing.experts) == ("qwen3-235b-a22b", 94, 128)
    assert (routing.top_k, routing.step_tokens, routing.domains) == (8, 100, 1)


def test_a_batch_of_requests_wanders():
    """Loads of 50 requests of correlation 0.02: variance c (1 - c) r / N of a chance, within 15 %.

    Requests stay one step here, so that every step has others, and steps have so many tokens that
    their drawing does not count.
    """
    share = np.full((20, 64), 1 / 64)
    share[:, :16] *= 3
    flat = Curve("decode", "output_tokens", [1], np.empty((1, 0)))
    law = LoadLaw(
        "toy", 4, np.log(share), np.empty((0, 20, 64)), (flat,), sequence_correlation=0.02
    )
    routing = routing_law(
        law, ["decode"], requests=50, request_steps=0.1, step_tokens=50_000_000, update_steps=1
    )
    chance = generators.trace(routing, 200).counts / 50_000_000
    wanted = law.chance("decode")
    variance = chance.var(axis=0) / (wanted * (1 - wanted) * 0.02 / 50)
    assert variance[:, :16].mean() == pytest.approx(1, rel=0.15)
    assert variance[:, 16:].mean() == pytest.approx(1, rel=0.15)


def test_odd_arguments_are_refused():
    """No conditions, and no requests."""
    law = loads.preset("deepseek-r1")
    with pytest.raises(ValueError, match="no conditions are given"):
        routing_law(law, [])
    with pytest.raises(ValueError, match="requests = 0 < 1"):
        routing_law(law, [LONG], requests=0)

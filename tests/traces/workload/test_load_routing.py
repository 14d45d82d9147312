"""Routing by a law of loads: DeepSeek-R1's phases and lengths in composed steps."""

import numpy as np
import pytest

import lb
from tests.traces.workload.streams import concurrent
from traces import RequestTrace
from traces.generators import loads
from traces.generators.loads import Condition
from traces.workload import ContinuousBatching, SequenceKinds, Workload, load_routing


def window(law, requests, stage="decode", **options):
    """The counts of all steps of a stream, as a window."""
    routing = load_routing(law, **options)
    batching = ContinuousBatching(4096, stage=stage, prefill_tokens=100_000)
    return sum(
        w.counts
        for w in Workload(requests, routing, batching).windows(window_steps=1, sampled_steps=1)
    )


@pytest.mark.parametrize(
    ("stage", "prompt", "output"), [("decode", 1, 1000), ("decode", 1, 100), ("prefill", 4096, 1)]
)
def test_loads_of_a_window_are_those_of_the_law(stage, prompt, output):
    """400 requests of one length: within a total variation of 0.02 of the law at that length.

    Requests of one length have the loads of their bin, up to a quarter of a doubling off.
    """
    law = loads.preset("deepseek-r1")
    requests = concurrent(400, output, prompt=prompt)
    counts = window(law, requests, stage, kinds=SequenceKinds())
    shares = counts / counts.sum(axis=1, keepdims=True)
    expected = law.share(Condition(stage, prompt, output))
    assert np.abs(shares - expected).sum(axis=1).mean() / 2 < 0.02


def test_a_plan_for_long_answers_serves_short_ones_as_measured():
    """shared/reference/r1_loads.md: decode 500/1500 to 2000/100 at EP32 x 9 is 0.77, within 0.03.

    The same condition is 0.96 or more.
    """
    law = loads.preset("deepseek-r1")
    rows = {}
    for name, prompt, output in (("long", 500, 1500), ("again", 500, 1500), ("short", 2000, 100)):
        seed = name == "again"
        requests = concurrent(1000, output, prompt=prompt)
        workload = Workload(
            requests, load_routing(law, kinds=SequenceKinds()), ContinuousBatching(1000), seed=seed
        )
        rows[name] = next(workload.windows(window_steps=100)).counts
    placement = lb.make("eplb")(lb.Problem(rows["long"], 32, 9))
    assert placement.balancedness(rows["again"]).mean() > 0.96
    assert placement.balancedness(rows["short"]).mean() == pytest.approx(0.77, abs=0.03)


def test_domains_of_the_law_are_told_apart():
    """Requests of a domain have its loads; without domains they pass no filter."""
    law = loads.with_domains(loads.preset("deepseek-r1"), ("chat", "code"))
    chat, code = (window(law, concurrent(200, 20, (name,))) for name in ("chat", "code"))
    assert np.abs(chat / chat.sum() - code / code.sum()).sum() / 2 > 0.1
    with pytest.raises(ValueError, match="match none"):
        window(law, RequestTrace([0.0], [5], [5]))


def test_a_law_without_a_phase_serves_the_other():
    """The bundled recordings are of prompts alone, one curve for each task."""
    law = loads.preset("deepseek-v2-lite")
    counts = window(law, concurrent(20, 1, ("summary",), prompt=50), "prefill")
    assert (counts.sum(axis=1) == 20 * 50 * 6).all()


def test_sequences_differ_as_the_law_says():
    """Kinds of sequences come from the law unless given."""
    law = loads.preset("deepseek-r1")
    assert load_routing(law).kinds.correlation == law.sequence_correlation
    assert load_routing(law.replace(sequence_correlation=0.0)).kinds.count == 1


@pytest.mark.parametrize(
    "options", [{"shortest": 0}, {"shortest": 9, "longest": 9}, {"bins_per_doubling": 0}]
)
def test_bins_out_of_range_are_refused(options):
    """The error names the values."""
    with pytest.raises(ValueError, match=r"shortest = .*bins_per_doubling"):
        load_routing(loads.preset("deepseek-r1"), **options)

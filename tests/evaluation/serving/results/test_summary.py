"""The numbers of a summary agree with a count by hand."""

import json

import numpy as np
import pytest

from evaluation.serving.results.slo import Slo
from evaluation.serving.results.summary import distribution, generated_after, summarise


def test_counts_and_latencies_are_those_of_the_log(log, samples):
    """Later requests do not count; an answer of one token has no TPOT; one in flight has a TTFT."""
    summary = summarise(log, samples, Slo(), 4, 9.0)
    counts = summary["requests"]
    names = ("arrived", "finished", "in_flight", "preempted", "measured", "recomputed_tokens")
    assert [counts[name] for name in names] == [3, 2, 1, 1, 3, 301]
    assert summary["ttft_s"]["count"] == 3
    assert summary["ttft_s"]["mean"] == pytest.approx(2 / 3)
    assert summary["ttft_s"]["p50"] == 0.5
    assert summary["tpot_s"] == {
        "count": 1,
        **dict.fromkeys(("mean", "p50", "p90", "p95", "p99"), 0.5),
    }
    assert summary["second_token_s"]["mean"] == pytest.approx((1.5 + 2) / 2)
    assert summary["end_to_end_s"]["mean"] == pytest.approx((0.5 + 2) / 2)
    assert summary["slo"] == {"ttft_s": None, "tpot_s": None}
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize(
    ("slo", "requests", "tokens", "share"),
    [
        (Slo(), 2, 4, 2 / 3),
        (Slo(tpot_s=0.25), 1, 1, 1 / 3),
        (Slo(1.0, 0.5), 2, 4, 2 / 3),  # equality keeps the SLO
        (Slo(0.75, 1.0), 1, 1, 1 / 3),
        (Slo(0.25, 1.0), 0, 0, 0.0),
    ],
)
def test_goodput_counts_finished_requests_that_keep_both(
    log, samples, slo, requests, tokens, share
):
    """The three requests arrive within 2 s, on 4 chips; one of them is in flight at the end."""
    good = summarise(log, samples, slo, 4, 9.0)["goodput"]
    assert (good["span"], good["span_s"]) == ("arrivals", 2.0)
    assert good["requests_per_s"] == pytest.approx(requests / 2)
    assert good["output_tokens_per_s"] == pytest.approx(tokens / 2)
    assert good["output_tokens_per_s_per_chip"] == pytest.approx(tokens / 2 / 4)
    assert good["share"] == pytest.approx(share)


def test_throughput_counts_every_token_generated(log, samples):
    """Tokens of requests in flight count, too: 1 + 3 + 2 in 9 s on 4 chips."""
    rates = summarise(log, samples, Slo(), 4, 9.0)["throughput"]
    assert rates["output_tokens_per_s_per_chip"] == pytest.approx(6 / 36)
    assert rates["prompt_tokens_per_s"] == pytest.approx(600 / 9)
    assert rates["requests_per_s"] == pytest.approx(2 / 9)


def test_a_warm_up_leaves_out_earlier_requests(log, samples):
    """After a warm-up of 2.5 s no request arrives; the later tokens are assumed evenly spread."""
    summary = summarise(log, samples, Slo(), 4, 9.0, warm_up_s=2.5)
    assert summary["requests"]["measured"] == 0
    assert summary["ttft_s"] == {"count": 0, **dict.fromkeys(("mean", "p50", "p90", "p95", "p99"))}
    assert summary["goodput"]["share"] == 0.0
    # the second request: 2 tokens from 2 to 3 s, half of it; the third: 1 token at 2.5 s, 1 later
    assert generated_after(log, 9.0, 2.5) == pytest.approx(1 + 2)
    assert generated_after(log, 9.0, 0.0) == 6


def test_executors_are_averaged_over_time_and_steps(log, samples):
    """A state lasts until the next sample; ratios are ratios of sums."""
    executors = summarise(log, samples, Slo(), 4, 9.0)["executors"]
    assert list(executors) == ["prefill 0", "decode 0"]
    prefill, decode = executors.values()
    assert prefill["waiting"] == {"mean": pytest.approx(2 / 3), "max": 2.0}
    assert prefill["kv_use"]["mean"] == pytest.approx(0.5 * 6 / 9)
    assert prefill["dp_imbalance"] == 1.0
    assert decode["running"] == {"mean": pytest.approx(1.5), "max": 2.0}
    assert decode["kv_use"]["max"] == 0.5
    assert decode["steps"] == 12
    assert decode["dp_imbalance"] == 1.25
    assert decode["barrier_idle"] == 0.25
    assert decode["busy"] == pytest.approx(6 / 9)
    assert decode["seconds"] == {
        "attention": 1.5,
        "wait for attention": 0.75,
        "experts": 0.75,
        "wait for experts": 0.75,
        "communication": 1.5,
        "other": 0.75,
    }


def test_executors_after_a_warm_up_leave_out_earlier_intervals(log, samples):
    """Two of the three decode intervals start after the warm-up of 3 s."""
    decode = summarise(log, samples, Slo(), 4, 9.0, warm_up_s=3.0)["executors"]["decode 0"]
    assert decode["steps"] == 8
    assert decode["busy"] == pytest.approx(4 / 6)


@pytest.mark.parametrize("in_flight", [0, 2])
def test_a_request_lost_or_counted_twice_is_named_in_numbers(log, samples, in_flight):
    """Three requests arrived and two finished, so that any number but 1 in flight is an error."""
    summarise(log, samples, Slo(), 4, 9.0, in_flight=1)
    with pytest.raises(ValueError, match=f"3 != 2 \\+ {in_flight}"):
        summarise(log, samples, Slo(), 4, 9.0, in_flight=in_flight)


@pytest.mark.parametrize(
    ("column", "row", "value", "fault"),
    [
        ("generated", 1, 2, "request 1 finished with another number of tokens"),
        ("generated", 2, 6, "request 2 generated more"),
        ("generated", 3, 1, "request 3 generated before it arrived"),
        ("first_token_s", 2, np.nan, "request 2 generated without a first_token_s"),
        ("first_token_s", 1, 0.5, "request 1 has a first_token_s before"),
        ("finish_s", 1, 2.25, "request 1 has a finish_s before"),
        ("finish_s", 1, 9.5, "request 1 has a finish_s after the end"),
    ],
)
def test_a_log_that_contradicts_itself_is_refused(log, samples, column, row, value, fault):
    """The error names the request and the contradiction."""
    getattr(log, column)[row] = value
    with pytest.raises(ValueError, match=fault):
        summarise(log, samples, Slo(), 4, 9.0)


@pytest.mark.parametrize("change", [{"chips": 0}, {"until_s": 1.0, "warm_up_s": 1.0}])
def test_nothing_to_measure_is_refused(log, samples, change):
    """Chips and measured time must be above 0."""
    with pytest.raises(ValueError, match=r"chips = 0|warm_up_s = 1, until_s = 1"):
        summarise(log, samples, **{"slo": Slo(), "chips": 4, "until_s": 9.0, **change})


def test_percentiles_are_of_the_known_values():
    """Percentiles of the numbers 0 to 100 are these numbers; nan does not count."""
    numbers = distribution(np.append(np.arange(101.0), np.nan))
    assert numbers == {"count": 101, "mean": 50, "p50": 50, "p90": 90, "p95": 95, "p99": 99}


@pytest.mark.parametrize("times", [(0, 1), (1, -1), (1, float("nan"))])
def test_limits_of_an_slo_are_positive(times):
    """Zero, negative numbers and nan are refused."""
    with pytest.raises(ValueError, match="give a limit above 0"):
        Slo(*times)

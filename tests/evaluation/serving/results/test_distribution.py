"""Percentiles of the latencies of requests."""

from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.serving.results.distribution import distribution


def log(first, finish, tokens):
    """Return a log of requests that arrive at 0, with these times and tokens."""
    first, finish = np.array(first, dtype=float), np.array(finish, dtype=float)
    return SimpleNamespace(
        arrival_s=np.zeros(len(first)),
        first_token_s=first,
        finish_s=finish,
        output_tokens=np.array(tokens),
    )


def test_minimum_median_and_maximum():
    """Percentile 0 is the minimum, 50 the median, 100 the maximum."""
    percentiles = distribution(log([1, 2, 3], [2, 4, 6], [2, 2, 2]))
    assert len(percentiles["ttft_s"]) == len(percentiles["tpot_s"]) == 101
    assert [percentiles["ttft_s"][at] for at in (0, 50, 100)] == [1, 2, 3]
    assert percentiles["tpot_s"][50] == pytest.approx(2)


def test_unknown_times_are_left_out():
    """Requests without a token are left out; without any request the lists are empty."""
    nan = float("nan")
    assert distribution(log([1, nan], [nan, nan], [2, 2]))["ttft_s"] == [1.0] * 101
    assert distribution(log([nan], [nan], [2])) == {"ttft_s": [], "tpot_s": []}

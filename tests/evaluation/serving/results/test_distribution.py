"""Percentiles of what requests saw."""

from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.serving.results.distribution import distribution


def log(first, finish, tokens):
    """Requests that arrive at 0, with these times and tokens."""
    first, finish = np.array(first, dtype=float), np.array(finish, dtype=float)
    return SimpleNamespace(
        arrival_s=np.zeros(len(first)),
        first_token_s=first,
        finish_s=finish,
        output_tokens=np.array(tokens),
    )


def test_ends_and_middle():
    """The first is the shortest, the last the longest, the middle one the median."""
    found = distribution(log([1, 2, 3], [2, 4, 6], [2, 2, 2]))
    assert len(found["ttft_s"]) == len(found["tpot_s"]) == 101
    assert [found["ttft_s"][at] for at in (0, 50, 100)] == [1, 2, 3]
    assert found["tpot_s"][50] == pytest.approx(2)


def test_unknown_times_are_left_out():
    """Who has no token yet is in none of the percentiles; without anybody there are none."""
    nan = float("nan")
    assert distribution(log([1, nan], [nan, nan], [2, 2]))["ttft_s"] == [1.0] * 101
    assert distribution(log([nan], [nan], [2])) == {"ttft_s": [], "tpot_s": []}

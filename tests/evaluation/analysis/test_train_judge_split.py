"""Cutting a trace: the window is seen, the rest judges, and something is left to judge."""

import numpy as np
import pytest

from evaluation.analysis.train_judge_split import split_trace


def test_window_and_steps_are_the_trace(trace):
    """The first steps add up, the others are kept one by one, the incomplete window included."""
    train_load, counts, tokens = split_trace(trace, 4)
    np.testing.assert_array_equal(train_load, trace.counts[:4].sum(axis=0))
    np.testing.assert_array_equal(counts, trace.counts[4:])
    np.testing.assert_array_equal(tokens, trace.step_tokens[4:])


def test_no_more_steps_than_asked(trace):
    """Five steps after the window, and no more of the trace is kept."""
    train_load, counts, _ = split_trace(trace, 4, 5)
    np.testing.assert_array_equal(counts, trace.counts[4:9])
    assert train_load.dtype == np.int64


@pytest.mark.parametrize("window", [18, 40])
def test_a_trace_of_one_window_is_refused(trace, window):
    """Nothing follows that could judge."""
    with pytest.raises(ValueError, match=r"has 18 steps and window_steps = .* no step is left"):
        split_trace(trace, window)


@pytest.mark.parametrize(
    ("window", "steps", "message"), [(0, None, "window_steps = 0 < 1"), (4, 0, "steps = 0 < 1")]
)
def test_no_steps_are_refused(trace, window, steps, message):
    """A window has steps, and so has a judgement."""
    with pytest.raises(ValueError, match=message):
        split_trace(trace, window, steps)

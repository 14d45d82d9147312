"""Chunks of a long file: errors name the place in the whole."""

import numpy as np
import pytest

from traces import TokenTrace
from traces.formats.about import About
from traces.formats.chunks import (
    STEP_COUNTS,
    counts_chunk,
    in_steps,
    steps_at_once,
    tokens_chunk,
)


def test_a_piece_is_a_trace():
    """What is told about the file is what the trace says."""
    trace = counts_chunk([[[1, 2]]], 5, About(model="m", phase="decode"), 1)
    assert (trace.model, trace.phase, trace.counts.tolist()) == ("m", "decode", [[[1, 2]]])


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([[[1, 2]], [[1, -2]]], "counts at step 101, layer 0, expert 1 is -2"),
        ([[[1, 2]], [[0.5, 2]]], r"counts at step 101, layer 0, expert 0 is 0\.5"),
        ([[[1, 2]], [[2.0**31, 2]]], "counts at step 101, layer 0, expert 0 is 2147483648"),
        ([[[np.nan, 2]]], "counts at step 100, layer 0, expert 0 is nan"),
    ],
)
def test_a_later_step_has_its_number(counts, text):
    """Steps count from the start of the file."""
    with pytest.raises(ValueError, match=text):
        counts_chunk(counts, 100, About(), 1)


@pytest.mark.parametrize(
    ("experts", "text"),
    [
        ([[[0, 1]], [[2, 4]]], "experts at token 8, layer 0, choice 1 is 4, outside 0 <= experts"),
        ([[[0, 1]], [[3, 3]]], "token 8 chooses expert 3 twice in layer 0"),
    ],
)
def test_a_later_token_has_its_number(experts, text):
    """Tokens count from the start of the file."""
    with pytest.raises(ValueError, match=text):
        tokens_chunk(np.array(experts), 7, About(), 4)


def test_other_errors_go_through():
    """A header that is wrong has no place in the file."""
    with pytest.raises(ValueError, match="top_k = 3"):
        counts_chunk([[[1, 2]]], 5, About(), 3)


def test_an_oversized_step_is_an_axis_in_the_wrong_place():
    """A step has at least one count and at most so many."""
    assert steps_at_once(1, 1) > 1
    assert steps_at_once(1, STEP_COUNTS) == 1
    with pytest.raises(ValueError, match=r"the axes are \[steps, layers, experts\]"):
        steps_at_once(2, STEP_COUNTS)


def test_tokens_are_counted_for_a_format_of_counts():
    """Tokens without steps are refused, others counted."""
    trace = TokenTrace([[[0]], [[1]]], 2, "m")
    assert in_steps(trace.split(1)).counts.tolist() == [[[1, 0]], [[0, 1]]]
    with pytest.raises(ValueError, match="not in steps"):
        in_steps(trace)

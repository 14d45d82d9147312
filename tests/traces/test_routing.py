"""Routing counts check themselves and cut into windows."""

import pickle

import numpy as np
import pytest

from traces import RoutingTrace

COUNTS = np.arange(24).reshape(4, 2, 3)


def trace(counts=COUNTS, **changes):
    """Make a small trace."""
    return RoutingTrace(counts, **({"model": "toy", "top_k": 2} | changes))


def test_shape_and_types():
    """Counts are int32, read-only, and a copy."""
    source = COUNTS.copy()
    made = trace(source)
    source[:] = 0
    assert (made.num_steps, made.num_layers, made.num_experts) == (4, 2, 3)
    assert made.counts.dtype == np.int32
    assert made.counts.sum() == COUNTS.sum()
    assert not made.counts.flags.writeable


def test_step_tokens_follow_from_the_fullest_layer():
    """Step 0 has layers of 3 and 12 copies: six tokens at top-2."""
    assert trace().step_tokens[0] == 6
    np.testing.assert_array_equal(trace(step_tokens=[9, 9, 9, 9]).step_tokens, 9)


def test_windows_add_steps_and_leave_a_rest_out():
    """Four steps are one window of three."""
    np.testing.assert_array_equal(trace().windows(3), COUNTS[None, :3].sum(axis=1))
    assert len(trace().windows(4)) == 1
    for wrong in (0, 5):
        with pytest.raises(ValueError, match=f"steps_per_window = {wrong} is outside"):
            trace().windows(wrong)


def test_slice_and_blocks():
    """A slice is a trace; a trace in memory is one block."""
    np.testing.assert_array_equal(trace().slice(1, 3).counts, COUNTS[1:3])
    assert [block.num_steps for block in trace().blocks()] == [4]


def test_hash_covers_contents_but_not_provenance():
    """Equal counts hash equally, wherever they came from."""
    assert trace().content_hash == trace(provenance={"origin": "x"}).content_hash
    assert trace().content_hash != trace(COUNTS + 1).content_hash
    assert trace().content_hash != trace(model="other").content_hash


def test_pickled_trace_stays_read_only():
    """Crossing a process changes nothing."""
    restored = pickle.loads(pickle.dumps(trace()))
    assert restored.content_hash == trace().content_hash
    assert not restored.counts.flags.writeable


@pytest.mark.parametrize(
    ("counts", "changes", "text"),
    [
        (-COUNTS, {}, "counts at step 0, layer 0, expert 1 is -1, outside 0 <= counts"),
        (COUNTS + 2**31, {}, "outside 0 <= counts < 2147483648"),
        (COUNTS + 0.5, {}, "expert 0 is 0.5; give integers"),
        (COUNTS * np.nan, {}, "is nan"),
        (COUNTS[0], {}, r"shape \(2, 3\); give \[steps, layers, experts\]"),
        (COUNTS[:0], {}, "no axis may be empty"),
        ([[[1, 2], [1, 2]], [[1, 2]]], {}, "ragged: step 1 has 1 layers, the first has 2"),
        ([[[1, 2], [1, 2, 3]]], {}, "ragged: step 0, layer 1 has 3 experts, the first has 2"),
        ([[["a"]]], {}, "give integers"),
        (COUNTS, {"top_k": 4}, "top_k = 4 is outside 1 <= top_k <= 3 experts"),
        (COUNTS, {"top_k": 1.5}, "top_k = 1.5 is not an integer"),
        (COUNTS, {"model": ""}, "model = ''"),
        (COUNTS, {"phase": "warm"}, "phase = 'warm' is not one of prefill, decode"),
        (COUNTS, {"step_tokens": [1, 2]}, "step_tokens has 2 entries for 4 steps"),
        (COUNTS, {"step_tokens": [1, 2, 3, -4]}, "step_tokens at step 3 is -4"),
        (COUNTS, {"provenance": {"year": 2026}}, "provenance 'year': 2026 is not text"),
    ],
)
def test_broken_traces_are_refused(counts, changes, text):
    """The error names place, value and how to fix it."""
    with pytest.raises(ValueError, match=text):
        trace(counts, **changes)

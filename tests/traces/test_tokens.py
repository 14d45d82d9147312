"""Token traces check themselves, cut into steps and count."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import TokenTrace
from traces.tokens import check_distinct

IDS = np.array([[[0, 1], [2, 3]], [[3, 1], [0, 2]], [[1, 2], [3, 0]], [[2, 0], [1, 3]]])


def trace(experts=IDS, **changes):
    """Make four tokens of two layers and two choices."""
    return TokenTrace(experts, **({"num_experts": 4, "model": "toy"} | changes))


def test_shape_and_types():
    """Ids are as small as they can be, and read-only."""
    made = trace()
    assert (made.num_tokens, made.num_layers, made.top_k) == (4, 2, 2)
    assert made.experts.dtype == np.uint8
    assert trace(num_experts=300).experts.dtype == np.uint16
    assert not made.experts.flags.writeable


def test_counts_by_step():
    """Each step counts its own tokens."""
    counts = trace().split(2).counts()
    np.testing.assert_array_equal(counts.counts[0], [[1, 2, 0, 1], [1, 0, 2, 1]])
    np.testing.assert_array_equal(counts.step_tokens, [2, 2])
    assert counts.top_k == 2


def test_a_rest_is_left_out_unless_kept():
    """Four tokens are one step of three, and a rest of one."""
    assert trace().split(3).num_tokens == 3
    kept = trace().split(3, keep_partial=True).counts()
    np.testing.assert_array_equal(kept.step_tokens, [3, 1])
    with pytest.raises(ValueError, match="step_tokens = 5 > 4 recorded tokens"):
        trace().split(5)
    with pytest.raises(ValueError, match="step_tokens = 0 < 1"):
        trace().split(0)


def test_counts_need_steps():
    """Tokens that are not in steps cannot be counted by step."""
    with pytest.raises(ValueError, match=r"call split\(step_tokens\) first"):
        trace().counts()


def test_samples():
    """Boundaries cut the trace into what was recorded together."""
    parts = list(trace(sample_lengths=[1, 3], source_rank=[0, 1, 2, 3]).samples())
    assert [part.num_tokens for part in parts] == [1, 3]
    np.testing.assert_array_equal(parts[1].experts, IDS[1:])
    np.testing.assert_array_equal(parts[1].source_rank, [1, 2, 3])
    with pytest.raises(ValueError, match="has no sample_lengths"):
        next(trace().samples())


def test_pickled_trace_stays_read_only():
    """Crossing a process changes nothing."""
    restored = pickle.loads(pickle.dumps(trace(sample_lengths=[2, 2])))
    assert restored.content_hash == trace(sample_lengths=[2, 2]).content_hash
    assert not restored.experts.flags.writeable


@pytest.mark.parametrize(
    ("experts", "changes", "text"),
    [
        (IDS, {"num_experts": 3}, "experts at token 0, layer 1, choice 1 is 3, outside 0 <="),
        (-IDS, {}, "is -1, outside 0 <= experts < 4"),
        (IDS[:, :, [0, 0]], {}, "token 0 chooses expert 0 twice in layer 0"),
        (IDS[0], {}, "shape"),
        (IDS[:0], {}, "no axis may be empty"),
        ([[[1, 2], [1]]], {}, "ragged: token 0, layer 1 has 1 choices, the first has 2"),
        (IDS, {"num_experts": 70000}, "num_experts = 70000 is outside"),
        (IDS, {"step": [0, 1, 0, 1]}, "step falls at token 2"),
        (IDS, {"step": [0, 1]}, "step has 2 entries for 4 tokens"),
        (IDS, {"source_rank": [0, 1, 2, -3]}, "source_rank at token 3 is -3"),
        (IDS, {"sample_lengths": [1, 2]}, "sample_lengths add up to 3 for 4 tokens"),
        (IDS, {"sample_lengths": [5, -1]}, "give positive lengths"),
    ],
)
def test_broken_traces_are_refused(experts, changes, text):
    """The error names place, value and how to fix it."""
    with pytest.raises(ValueError, match=text):
        trace(experts, **changes)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_every_choice_is_counted_once(tokens, step_tokens, seed):
    """Layer totals are tokens times top_k, whatever the step size."""
    generator = np.random.default_rng(seed)
    ids = np.argsort(generator.random((tokens, 3, 5)), axis=2)[:, :, :2]
    made = TokenTrace(ids, 5, "toy").split(step_tokens, keep_partial=True).counts()
    assert (made.counts.sum(axis=(0, 2)) == 2 * tokens).all()
    assert made.step_tokens.sum() == tokens


def test_steps_are_numbered_up_to_the_last_with_tokens():
    """Idle ones before it count; tokens in none have no number of steps."""
    assert trace(step=[0, 0, 2, 4]).num_steps == 5
    with pytest.raises(ValueError, match=r"not in steps; call split\(step_tokens\)"):
        trace().num_steps  # noqa: B018


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_repeats_are_those_of_sorting(tokens, layers, top_k, seed):
    """Whatever the shape and wherever the compared rows are cut, the first repeat is named."""
    ids = np.random.default_rng(seed).integers(0, 12, (tokens, layers, top_k))
    ordered = np.sort(ids, axis=2)
    repeated = (ordered[..., 1:] == ordered[..., :-1]).any(axis=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("traces.tokens.COMPARED_ROWS", 7)
        if not repeated.any():
            check_distinct(ids)
            return
        token, layer = np.argwhere(repeated)[0]
        place = rf"token {token + 5} chooses expert \d+ twice in layer {layer};"
        with pytest.raises(ValueError, match=place):
            check_distinct(ids, first=5)

"""Group-limited routing does what DeepSeek-V3's does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces.generators import route


def plainly(logits, top_k, groups, kept, bias):
    """Return the same by sorting everything."""
    chosen = []
    for row in np.asarray(logits, float):
        score = 1 / (1 + np.exp(-row)) + bias
        members = np.arange(len(row)).reshape(groups, -1)
        worth = [np.sort(score[ids])[-2:].sum() for ids in members]
        best = sorted(range(groups), key=lambda group: (-worth[group], group))[:kept]
        allowed = sorted(int(e) for group in best for e in members[group])
        chosen.append(sorted(allowed, key=lambda expert: (-score[expert], expert))[:top_k])
    return np.array(chosen)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    groups=st.sampled_from([1, 2, 4, 8]),
    size=st.integers(1, 6),
    data=st.data(),
)
def test_as_sorting_everything(seed, groups, size, data):
    """Random scores, with and without ties and bias, and all numbers of kept groups."""
    kept = data.draw(st.integers(1, groups))
    top_k = data.draw(st.integers(1, kept * size))
    generator = np.random.default_rng(seed)
    logits = generator.integers(-2, 3, size=(9, groups * size)) + generator.choice([0.0, 0.5])
    bias = generator.choice([0.0, 0.25], size=groups * size)
    found = route(logits, top_k, groups, kept, bias)
    assert (found == plainly(logits, top_k, groups, kept, bias)).all()


def test_a_group_is_worth_its_two_best():
    """One strong expert loses to two middling ones of another group."""
    logits = [[3.0, -9.0, -9.0, 1.0, 1.0, -9.0]]
    assert route(logits, 1, groups=2, groups_kept=1).tolist() == [[3]]
    assert route(logits, 1, groups=2, groups_kept=2).tolist() == [[0]]


def test_bias_moves_the_choice():
    """An expert with a large bias is chosen first."""
    assert route([[1.0, 0.0]], 1, bias=[0.0, 2.0]).tolist() == [[1]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": 3}, "groups = 3 do not divide 4"),
        ({"groups": 2, "groups_kept": 3}, "groups_kept = 3 is outside"),
        ({"top_k": 3, "groups": 2, "groups_kept": 1}, "top_k = 3 is outside 1 <= top_k <= 2"),
        ({"logits": [1.0]}, "logits has shape"),
        ({"logits": [[np.inf, 0.0]]}, "give finite ones"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    """The value, what it breaks and how to fix it are named."""
    with pytest.raises(ValueError, match=message):
        route(**({"logits": np.zeros((1, 4)), "top_k": 1} | arguments))

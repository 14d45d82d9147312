"""Conditions and their names."""

import pytest

from traces.generators.loads import Condition


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (Condition("prefill"), "prefill"),
        (Condition("prefill", 1024), "prefill_in1024"),
        (Condition("decode", 1000, 500), "decode_in1000out500"),
        (Condition("decode", None, 500), "decode_out500"),
        (Condition("decode", 1000, 500, "chat"), "decode_in1000out500:chat"),
    ],
)
def test_a_name_gives_the_condition_back(condition, name):
    """With everything that is known, and nothing that is not."""
    assert condition.name == name
    assert Condition.parse(name) == condition


@pytest.mark.parametrize("name", ["", "prefil", "decode_in", "decode_in1000:", "decode out100"])
def test_another_form_is_refused(name):
    """And the right one is shown."""
    with pytest.raises(ValueError, match="another form than prefill_in1024"):
        Condition.parse(name)


def test_odd_conditions_are_refused():
    """An unknown phase, and a length that is none."""
    with pytest.raises(ValueError, match="phase = 'mixed'"):
        Condition("mixed")
    with pytest.raises(ValueError, match="prompt_tokens = 0 < 1"):
        Condition("prefill", 0)

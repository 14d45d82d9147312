"""The axes of a plan are given, or follow from the scenario's dies."""

import pytest

from evaluation.serving.plan.axes import CHECKS, axes, find_table, read_table
from tests.evaluation.serving.planning import busy


def test_derived_axes_hold_the_scenario_itself():
    """Its own executors, dies, batch and redundancy are among those tried, and whole nodes."""
    result = axes(busy(), {})
    assert result.dies == 160
    assert {4} <= set(result.prefill) <= {1, 2, 3, 4}
    assert 32 in result.decode_dies
    assert all(dies % 16 == 0 for dies in result.decode_dies + result.attention_dies)
    assert result.batch_limit == (30, 60, 120)
    assert result.redundant == (0, 1)


@pytest.mark.parametrize(
    ("given", "together", "apart"),
    [
        ({}, True, True),
        ({"decode_dies": (32,)}, True, False),
        ({"expert_dies": (32,)}, False, True),
        ({"expert_dies": (32,), "decode_dies": (32,)}, True, True),
    ],
)
def test_axes_of_one_kind_leave_the_other_out(given, together, apart):
    """Dies of experts apart ask for attention apart alone, unless both kinds are given."""
    result = axes(busy(), given)
    kinds = {one.domains > 0 for one in result.deployments(busy())}
    assert kinds == {kind for kind, there in ((False, together), (True, apart)) if there}


def test_all_combinations_within_the_dies():
    """Of two prefill counts one fits 64 dies; each batch limit is there once, in order."""
    given = {"prefill": (1, 2), "decode_dies": (32,), "batch_limit": (60, 30), "redundant": (0,)}
    result = axes(busy(), {**given, "dies": 64}).deployments(busy())
    assert [(one.prefill, one.batch_limit) for one in result] == [(1, 30), (1, 60)]


def test_nothing_fits():
    """Three dies are too few; the error names how many the smallest takes."""
    with pytest.raises(ValueError, match="the smallest takes 48"):
        axes(busy(), {"dies": 3}).deployments(busy())


def test_a_table_of_the_scenario(tmp_path):
    """[plan] gives the axes; a scenario without one gives none."""
    path = tmp_path / "mine.toml"
    path.write_text("[plan]\nprefill = [1, 3]\ndies = 100\n")
    assert read_table(path) == {"prefill": [1, 3], "dies": 100}
    assert find_table("azure-busy") == {}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("prefil = [1]", "did you mean 'prefill'"),
        ("prefill = 1", "list of numbers"),
        ("prefill = [0]", "integer >= 1"),
        ("prefill = [1, 1]", "once"),
        ("domains = []", "list of numbers"),
        ("redundant = [-1]", "integer >= 0"),
        ("dies = 0", "integer >= 1"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, line, words):
    """Unknown keys and impossible numbers are refused with file and key."""
    path = tmp_path / "mine.toml"
    path.write_text(f"[plan]\n{line}\n")
    with pytest.raises(ValueError, match=words):
        read_table(path)
    assert "dies" in CHECKS

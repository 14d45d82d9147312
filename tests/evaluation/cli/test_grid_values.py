"""Values of a grid on the command line."""

import pytest

from evaluation.cli.grid_values import grid_values


def test_numbers_are_sorted():
    """Spaces are allowed, and order does not matter."""
    assert grid_values("1, 0,0.5", "skew", float, at_least=0) == (0.0, 0.5, 1.0)
    assert grid_values("64,32", "ranks", int, at_least=1) == (32, 64)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", int, "'' is not a whole number"),
        ("1,", int, "'' is not a whole number"),
        ("1;2", float, "'1;2' is not a number"),
        ("1.5", int, "'1.5' is not a whole number"),
        ("0", int, "0 breaks 1 <= batch"),
        ("nan", float, "nan breaks 1 <= batch"),
        ("inf", float, "inf breaks 1 <= batch"),
        ("11", float, "11.0 breaks 1 <= batch <= 10"),
        ("2,1,2", int, "2 is there twice"),
    ],
)
def test_wrong_axes_are_refused(text, kind, message):
    """The option is named, and the entry."""
    with pytest.raises(ValueError, match=message) as result:
        grid_values(text, "batch", kind, at_least=1, at_most=10)
    assert str(result.value).startswith("--batch")

"""Numbers of MoE layers in the model."""

import pytest

from lb.engines.layers import layer_numbers


def test_layers_follow_the_first():
    """Dense layers come before."""
    assert layer_numbers(3, first_layer=3) == [3, 4, 5]


def test_layers_named_one_by_one():
    """Every second layer has experts."""
    assert layer_numbers(3, layer_ids=(1, 3, 5)) == [1, 3, 5]


@pytest.mark.parametrize(
    ("first", "ids", "text"),
    [
        (-1, None, "first_layer = -1 < 0"),
        (1, [1, 2], "name the layers twice"),
        (0, [1], "names 1 layers for 2"),
        (0, [2, 2], "must rise"),
        (0, [-1, 2], "layer_ids = -1 < 0"),
    ],
)
def test_numbers_that_name_no_layers(first, ids, text):
    """Each is refused for what is wrong."""
    with pytest.raises(ValueError, match=text):
        layer_numbers(2, first, ids)

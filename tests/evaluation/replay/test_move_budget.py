"""The number of moves never exceeds the budget."""

import numpy as np
import pytest

import lb
from evaluation.replay.move_budget import apply_move_budget

BEFORE = lb.Placement([[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]], 2)
#: Two moves in the first layer, two in the second, none in the last: slots change within a rank.
WANTED = lb.Placement([[0, 2, 1, 3], [0, 3, 1, 2], [1, 0, 2, 3]], 2)
#: The first layer gains little from its moves, the second layer much.
LOAD = np.array([[3, 3, 2, 2], [9, 9, 1, 1], [1, 1, 1, 1]])


def test_enough_moves_change_nothing():
    """A placement within the budget is loaded as it is."""
    assert apply_move_budget(WANTED, BEFORE, LOAD, 4) is WANTED


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_never_more_moves(most):
    """The budget holds; layers without moves are always loaded."""
    loaded = apply_move_budget(WANTED, BEFORE, LOAD, most)
    assert loaded.moves_from(BEFORE).sum() <= most
    np.testing.assert_array_equal(loaded.physical_to_logical[2], WANTED.physical_to_logical[2])


def test_the_layer_that_gains_most_goes_first():
    """With a budget for one layer, the layer with the larger gain per move is loaded."""
    loaded = apply_move_budget(WANTED, BEFORE, LOAD, 2)
    np.testing.assert_array_equal(loaded.physical_to_logical[1], WANTED.physical_to_logical[1])
    np.testing.assert_array_equal(loaded.physical_to_logical[0], BEFORE.physical_to_logical[0])

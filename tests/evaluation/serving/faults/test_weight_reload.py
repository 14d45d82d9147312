"""Dies that come back load what they hold, others what is new to them."""

import pytest

from evaluation.serving.faults.weight_reload import HeldExperts, reload_s, weights_to_load
from hardware import Device, Model, Operators
from hardware.memory import footprint
from lb import Placement

OPERATORS = Operators(Device.preset("ascend-910c-die"), Model.preset("deepseek-v3"))
WHOLE = HeldExperts(Placement([[0, 1, 2, 3, 0, 2]], 3), (0, 1, 2))


def test_a_die_that_was_away_loads_all_it_holds():
    """Where nothing was placed anew, the others load nothing."""
    away = WHOLE._replace(lost=frozenset({1}))
    assert weights_to_load(away, WHOLE).tolist() == [[0, 2, 0]]
    assert weights_to_load(WHOLE, WHOLE).tolist() == [[0, 0, 0]]


def test_after_a_shrink_the_others_load_what_they_had_given_up():
    """Die 0 had taken 2 and 3 in place of 1, die 2 nothing new; die 1 was not there."""
    fewer = HeldExperts(Placement([[0, 2, 3, 1, 0, 2]], 2), (0, 2))
    assert weights_to_load(fewer, WHOLE).tolist() == [[1, 2, 0]]


def test_it_agrees_with_a_rebalance_where_all_dies_stay():
    """The count of a migration between two placements."""
    after = HeldExperts(Placement([[2, 3, 0, 1, 1, 0]], 3), (0, 1, 2))
    expected = after.placement.moves_from(WHOLE.placement)
    assert weights_to_load(WHOLE, after).tolist() == expected.tolist()


def test_seconds_are_those_of_the_die_with_most_to_load():
    """Experts, and attention where the die holds it."""
    away = WHOLE._replace(lost=frozenset({1}))
    each = OPERATORS.model.expert_bytes(OPERATORS.bytes_per_weight)
    others = footprint(OPERATORS, 0, 0, 0.0).total
    both = reload_s(away, WHOLE, (1,), 3, OPERATORS, 1e9)
    assert both == pytest.approx((2 * each + others) / 1e9)
    assert reload_s(away, WHOLE, (1,), 0, OPERATORS, 1e9) == pytest.approx(2 * each / 1e9)
    assert reload_s(WHOLE, WHOLE, (), 3, OPERATORS, 1e9) == 0

"""Experts under other numbers, there and back."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox.permutation import Permutation


@pytest.fixture
def problem():
    """Three layers of twelve experts in three groups, with everything by expert."""
    generator = np.random.default_rng(0)
    load = generator.integers(1, 100, (2, 3, 12))
    asked = lb.Problem(load, 6, 3, ranks_per_node=2, expert_groups=3)
    return asked.replace(
        current=lb.solve(asked, "greedy"),
        forecast=generator.random((3, 12)),
        coactivation=generator.random((3, 12, 12)),
        source_load=generator.random((3, 6, 12)),
    )


def test_hidden_arrays_are_the_same_under_other_numbers(problem):
    """Each array holds at a new number what it held at the expert's own."""
    order = Permutation.drawn(3, 12, 3, [1]).order
    changes = Permutation(order).hidden(problem)
    for layer in range(3):
        for number, expert in enumerate(order[layer]):
            assert (changes["load"][:, layer, number] == problem.load[:, layer, expert]).all()
            assert changes["forecast"][layer, number] == problem.forecast[layer, expert]
            column = problem.source_load[layer, :, expert]
            assert (changes["source_load"][layer, :, number] == column).all()
            for other, second in enumerate(order[layer]):
                pair = problem.coactivation[layer, expert, second]
                assert changes["coactivation"][layer, number, other] == pair


def test_what_is_loaded_comes_back(problem):
    """There and back is the table itself."""
    permutation = Permutation.drawn(3, 12, 3, [1])
    table = permutation.hidden(problem)["current"]
    assert (table != problem.current.physical_to_logical).any()
    assert (permutation.shown(table) == problem.current.physical_to_logical).all()


def test_groups_stay_together():
    """Experts of one group have numbers of one group, in every layer, and all are there."""
    order = Permutation.drawn(5, 12, 3, [2]).order.reshape(5, 3, 4)
    assert (order // 4 == order[:, :, :1] // 4).all()
    assert (np.sort(order.reshape(5, 12), axis=1) == np.arange(12)).all()


def test_equal_seeds_draw_equally():
    """And other seeds draw otherwise."""
    drawn = [Permutation.drawn(4, 16, 1, seed).order for seed in ([1, 2], [1, 2], [1, 3])]
    assert (drawn[0] == drawn[1]).all()
    assert (drawn[0] != drawn[2]).any()
    assert (drawn[0][0] != drawn[0][1]).any()


@pytest.mark.parametrize("wrong", [-1, 12])
def test_numbers_of_no_expert_are_refused(wrong):
    """Negative ones too, which numpy would count from the end."""
    permutation = Permutation.drawn(1, 12, 1, [0])
    with pytest.raises(lb.Infeasible, match=f"places expert {wrong}; experts run from 0 to 11"):
        permutation.shown(np.array([[0, wrong]]))

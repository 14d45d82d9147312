"""Experts get new numbers, and answers get the original ones back."""

import numpy as np
import pytest

import lb
from evaluation.candidates.sandbox.permutation import Permutation


@pytest.fixture
def problem():
    """Three layers of twelve experts in three groups, with every array that has an expert axis."""
    generator = np.random.default_rng(0)
    load = generator.integers(1, 100, (2, 3, 12))
    asked = lb.Problem(load, 6, 3, ranks_per_node=2, expert_groups=3)
    return asked.replace(
        current=lb.solve(asked, "greedy"),
        forecast=generator.random((3, 12)),
        coactivation=generator.random((3, 12, 12)),
        source_load=generator.random((3, 6, 12)),
    )


def test_renumbered_arrays_hold_the_same_values(problem):
    """Each array holds at a new number the value of the expert that has this number."""
    order = Permutation.random(3, 12, 3, [1]).order
    changes = Permutation(order).renumber(problem)
    for layer in range(3):
        for number, expert in enumerate(order[layer]):
            assert (changes["load"][:, layer, number] == problem.load[:, layer, expert]).all()
            assert changes["forecast"][layer, number] == problem.forecast[layer, expert]
            column = problem.source_load[layer, :, expert]
            assert (changes["source_load"][layer, :, number] == column).all()
            for other, second in enumerate(order[layer]):
                pair = problem.coactivation[layer, expert, second]
                assert changes["coactivation"][layer, number, other] == pair


def test_restoring_inverts_renumbering(problem):
    """A renumbered and restored table is the original one."""
    permutation = Permutation.random(3, 12, 3, [1])
    table = permutation.renumber(problem)["current"]
    assert (table != problem.current.physical_to_logical).any()
    assert (permutation.restore(table) == problem.current.physical_to_logical).all()


def test_groups_stay_together():
    """Experts of a group get numbers of one group, and every number is used once."""
    order = Permutation.random(5, 12, 3, [2]).order.reshape(5, 3, 4)
    assert (order // 4 == order[:, :, :1] // 4).all()
    assert (np.sort(order.reshape(5, 12), axis=1) == np.arange(12)).all()


def test_equal_seeds_give_equal_numbers():
    """Equal seeds give equal numbers; other seeds and other layers give others."""
    orders = [Permutation.random(4, 16, 1, seed).order for seed in ([1, 2], [1, 2], [1, 3])]
    assert (orders[0] == orders[1]).all()
    assert (orders[0] != orders[2]).any()
    assert (orders[0][0] != orders[0][1]).any()


@pytest.mark.parametrize("wrong", [-1, 12])
def test_numbers_of_no_expert_are_refused(wrong):
    """Negative numbers are refused, too: numpy would count them from the end."""
    permutation = Permutation.random(1, 12, 1, [0])
    with pytest.raises(lb.Infeasible, match=f"places expert {wrong}; experts run from 0 to 11"):
        permutation.restore(np.array([[0, wrong]]))

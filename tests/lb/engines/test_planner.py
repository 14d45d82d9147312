"""From an engine's numbers to a problem."""

import numpy as np
import pytest

import lb
from lb.engines.planner import Planner, complete_placement, start_up_row, three_maps


def _asked(**arguments):
    """Return the problem that the solver is asked."""
    seen = []

    def solver(problem):
        seen.append(problem)
        return lb.solve(problem, "contiguous")

    Planner(solver=solver, dispatcher="optimal").plan(np.ones((2, 8)), 12, 4, **arguments)
    return seen[0]


@pytest.mark.parametrize(
    ("groups", "nodes", "kept", "per_node"),
    [
        (None, 1, 1, 4),
        (8, 2, 8, 2),
        (4, 4, 4, 1),
        (2, 4, 1, 1),
        (1, 2, 1, 2),
        (4, 3, 1, None),
        (None, 3, 1, None),
        (5, 2, 1, 2),
    ],
)
def test_groups_count_where_they_divide_over_the_nodes(groups, nodes, kept, per_node):
    """Elsewhere there is one group; nodes that do not divide the ranks are left out."""
    problem = _asked(num_groups=groups, num_nodes=nodes)
    assert (problem.expert_groups, problem.ranks_per_node) == (kept, per_node)
    assert problem.dispatcher == "optimal"


def test_windows_are_kept():
    """[windows, layers, experts] reach the solver as they are."""
    seen = []

    def solver(problem):
        seen.append(problem.num_windows)
        return lb.solve(problem, "greedy")

    Planner(solver=solver).plan(np.ones((3, 2, 8)), 12, 4)
    assert seen == [3]


def test_current_maps_hold_integers():
    """A map of floats is none."""
    with pytest.raises(ValueError, match="dtype float64"):
        Planner().plan(np.ones((1, 2)), 4, 2, current=[[0.0, 1, 0, 1]])


def test_start_up_layout():
    """Experts in order, then over again."""
    assert start_up_row(4, 6).tolist() == [0, 1, 2, 3, 0, 1]


def test_what_is_a_complete_placement():
    """Every slot filled, every expert there."""
    assert complete_placement(np.array([[0, 1, 2, 0]]), 2, 3) is not None
    assert complete_placement(np.array([[0, 1, 2, -1]]), 2, 3) is None
    assert complete_placement(np.array([[0, 1, 0, 1]]), 2, 3) is None


def test_three_maps_of_a_placement():
    """The maps of the placement, free to be written."""
    maps = three_maps(lb.Placement([[0, 1, 1, 2]], 2), np.ones((1, 3)))
    assert [one.tolist() for one in maps] == [
        [[0, 1, 1, 2]],
        [[[0, -1], [1, 2], [3, -1]]],
        [[1, 2, 1]],
    ]
    assert all(one.flags.writeable for one in maps)

"""A problem checks itself, so that a solver never sees an infeasible one."""

import pickle

import numpy as np
import pytest

import lb

LOAD = np.arange(1.0, 13.0).reshape(2, 6)


def test_one_window_is_added_to_a_matrix():
    """[layers, experts] is one window."""
    assert lb.Problem(LOAD, 2, 4).load.shape == (1, 2, 6)


def test_total_load_adds_windows():
    """The total is the sum over windows."""
    problem = lb.Problem(np.stack([LOAD, LOAD]), 2, 4)
    np.testing.assert_array_equal(problem.total_load, 2 * LOAD)


def test_arrays_are_copies_and_read_only():
    """Neither the caller nor a solver can change a problem."""
    load = LOAD.copy()
    problem = lb.Problem(load, 2, 4)
    load[:] = 0
    assert problem.load.sum() == LOAD.sum()
    with pytest.raises(ValueError, match="read-only"):
        problem.load[0, 0, 0] = 1


def test_pickled_problem_stays_read_only():
    """A problem that crossed a process is as immutable as before."""
    restored = pickle.loads(pickle.dumps(lb.Problem(LOAD, 2, 4)))
    np.testing.assert_array_equal(restored.load[0], LOAD)
    assert not restored.load.flags.writeable


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float32])
def test_any_real_number_type_is_taken(dtype):
    """Engines count in many types."""
    assert lb.Problem(LOAD.astype(dtype), 2, 4).load.dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"slots_per_rank": 2}, "4 slots < 6 experts; give slots_per_rank >= 3"),
        ({"slots_per_rank": 7}, "14 slots > 6 experts x 2 ranks"),
        ({"num_ranks": 0}, "num_ranks = 0 < 1"),
        ({"num_ranks": 2.5}, "num_ranks = 2.5 is not an integer"),
        ({"num_ranks": True}, "truth value"),
        ({"load": -LOAD}, "load at layer 0, expert 0 is -1.0"),
        ({"load": LOAD * np.nan}, "is nan; it must be finite"),
        ({"load": np.full((2, 6), 1e308)}, "adds up to infinity"),
        ({"load": np.zeros((2, 0))}, "no axis"),
        ({"load": [1, 2, 3]}, "give \\["),
        ({"load": [[1, 2], [1]]}, "ragged"),
        ({"load": [["a", "b"]]}, "dtype"),
        ({"ranks_per_node": 3}, "ranks_per_node = 3 does not divide num_ranks = 2"),
        ({"expert_groups": 4}, "expert_groups = 4 does not divide the number of experts = 6"),
        ({"max_moves": 3}, "give current as well"),
        ({"rank_speed": [1, 0]}, "rank_speed at rank 1 is 0"),
        ({"rank_speed": [1, 1, 1]}, "rank_speed has shape \\(3,\\); this problem needs \\[2 ranks"),
        ({"rank_distance": np.ones((2, 3))}, "rank_distance has shape"),
        ({"current": lb.Placement([[0, 1, 2, 3]], 2)}, "current: .*1 layers for 2"),
        ({"current": "none"}, "current: the answer is a str"),
    ],
)
def test_impossible_problems_are_refused(changes, text):
    """The error names the value and the inequality that it breaks."""
    fields = {"load": LOAD, "num_ranks": 2, "slots_per_rank": 4} | changes
    with pytest.raises(ValueError, match=text):
        lb.Problem(**fields)


def test_check_names_what_differs():
    """An answer to another question is refused with the sizes."""
    problem = lb.Problem(LOAD, 2, 4)
    with pytest.raises(ValueError, match="1 layers for 2; 4 experts for 6; 6 slots for 8"):
        problem.check(lb.Placement([[0, 1, 2, 3, 0, 1]], 2))


def test_check_counts_moves():
    """A placement over the budget is refused."""
    current = lb.solve(lb.Problem(LOAD, 2, 4), "contiguous")
    problem = lb.Problem(LOAD, 2, 4, current=current, max_moves=0)
    assert problem.check(current) is current
    with pytest.raises(ValueError, match="max_moves = 0"):
        problem.check(lb.solve(problem.replace(max_moves=None), "random"))


def test_demands_are_the_binding_fields():
    """Only stated constraints are demands."""
    problem = lb.Problem(LOAD, 2, 4)
    assert problem.demands == frozenset()
    assert problem.replace(rank_speed=[1, 2]).demands == {"rank_speed"}


def test_planned_load_is_the_mean_of_the_windows_or_the_forecast():
    """What a solver plans for is one window's worth, and a forecast takes precedence."""
    problem = lb.Problem([[[4, 2]], [[8, 2]]], 2, 1)
    assert problem.planned_load.tolist() == [[6, 2]]
    assert problem.replace(forecast=[[1, 9]]).planned_load.tolist() == [[1, 9]]


@pytest.mark.parametrize(
    ("advice", "said"),
    [
        ({"forecast": [[1, 2, 3]]}, "forecast has shape"),
        ({"forecast": [[1, np.nan]]}, "forecast at layer 0, expert 1 is nan"),
        ({"dispatcher": ""}, "is not the name of a dispatcher"),
        ({"expert_cost": [[0, 1]]}, "at least 2 points"),
        ({"expert_cost": [[1, 1], [2, 2]]}, "must start at 0 and rise"),
        ({"expert_cost": [[0, 1], [2, 2], [2, 3]]}, "must start at 0 and rise"),
        ({"expert_cost": [[0, 2], [1, 1]]}, "falls or bends down after 0 tokens"),
        ({"expert_cost": [[0, 0], [1, 2], [2, 3]]}, "falls or bends down after 1 tokens"),
        ({"move_price": 1.0}, "give current as well"),
        ({"move_price": -1.0}, "must be finite and >= 0"),
    ],
)
def test_refused_advice(advice, said):
    """Advice is checked like everything else: the message names the value and how to fix it."""
    with pytest.raises(ValueError, match=said):
        lb.Problem([[4, 2]], 2, 1, **advice)


def test_objective_follows_the_expert_cost():
    """With a cost of its own the objective is seconds."""
    problem = lb.Problem([[4, 2]], 2, 1)
    assert problem.objective == "tokens"
    assert problem.replace(expert_cost=[[0, 1], [60, 1], [120, 2]]).objective == "seconds"


def test_a_price_goes_with_a_current_placement():
    """Moves from what is loaded may have a price, with or without a budget."""
    current = lb.Placement([[0, 1]], 2)
    problem = lb.Problem([[4, 2]], 2, 1, current=current, move_price=3)
    assert problem.move_price == 3.0
    assert problem.replace(max_moves=1).max_moves == 1

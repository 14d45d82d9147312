"""solve() refuses problems that a solver cannot answer."""

import numpy as np
import pytest

import lb

PROBLEM = lb.Problem(np.arange(1.0, 9.0)[None], 2, 5)


@pytest.mark.parametrize(
    ("dispatcher", "chosen"), [("even", "local-search"), ("optimal", "robust")]
)
def test_default_is_auto(dispatcher, chosen):
    """Without a name the solver that suits the problem answers."""
    problem = PROBLEM.replace(dispatcher=dispatcher)
    default = lb.solve(problem).physical_to_logical
    np.testing.assert_array_equal(default, lb.solve(problem, "auto").physical_to_logical)
    np.testing.assert_array_equal(default, lb.solve(problem, chosen).physical_to_logical)


def test_any_callable_is_a_solver():
    """A plain function needs no registration."""
    answer = lb.Placement([[0, 1, 2, 3, 4, 5, 6, 7, 0, 1]], 2)
    assert lb.solve(PROBLEM, lambda problem: answer) is answer


def test_demand_that_is_not_honoured_is_refused():
    """A budget that would be ignored is an error, not a surprise."""
    current = lb.solve(PROBLEM, "contiguous")
    with pytest.raises(ValueError, match="'Greedy' does not honour max_moves"):
        lb.solve(PROBLEM.replace(current=current, max_moves=1), "greedy")
    with pytest.raises(ValueError, match="'Eplb' does not honour rank_speed"):
        lb.solve(PROBLEM.replace(rank_speed=[1, 2]), "eplb")


def test_array_is_no_answer():
    """A bare array is refused with what to return."""
    with pytest.raises(
        ValueError, match=r"the answer is a ndarray; a solver returns lb\.Placement"
    ):
        lb.solve(PROBLEM, lambda problem: np.zeros((1, 10)))


def test_parameters_go_with_a_name():
    """A callable is configured by its maker."""
    with pytest.raises(ValueError, match="parameters seed go with a solver's name"):
        lb.solve(PROBLEM, lambda problem: None, seed=1)

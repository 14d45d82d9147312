"""Run a solver, by name or as an object, and check its placement."""

from typing import Any

from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solvers import SOLVERS


def solve(problem: Problem, solver: str | Solver = "auto", **params: Any) -> Placement:
    """Return the placement that ``solver`` gives for ``problem``.

    Parameters
    ----------
    problem
        What is asked.
    solver
        A registered name (:func:`lb.available`) or any callable from problem to placement. "auto"
        chooses by what the problem states (:class:`lb.solvers.auto.Auto`).
    params
        Parameters of a named solver.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown, the problem states a demand (``max_moves``,
        ``rank_speed``) that the solver does not honour, or the answer is not a placement of
        this problem.
    """
    if isinstance(solver, str):
        chosen: Solver = SOLVERS.make(solver, **params)
    elif params:
        raise ValueError(
            f"parameters {', '.join(params)} go with a solver's name; configure the callable itself"
        )
    else:
        chosen = solver
    # A demand that the solver ignores would give the answer to another problem.
    ignored = problem.demands - honours(chosen)
    if ignored:
        raise ValueError(
            f"solver {solver_name(chosen)!r} does not honour {' and '.join(sorted(ignored))}; "
            "leave it out of the problem, or choose a solver whose `honours` names it"
        )
    return problem.check(chosen(problem))


def honours(solver: Solver) -> frozenset[str]:
    """Return the optional problem fields that ``solver`` says it respects."""
    return frozenset(getattr(solver, "honours", ()))


def forecasts(solver: Solver) -> bool:
    """Say whether ``solver`` makes its own guess of the next window, from all windows."""
    return bool(getattr(solver, "forecasts", False))


def solver_name(solver: Any) -> str:
    """Return the function or class name of a solver, for messages."""
    return str(getattr(solver, "__name__", type(solver).__name__))

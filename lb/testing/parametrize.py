"""Run the checks: in one call, or as one pytest test for each solver and check."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lb.protocols import Solver
from lb.solve import solver_name
from lb.solvers import SOLVERS
from lb.testing import checks
from lb.testing.outcomes import outcomes
from lb.testing.pytest_cases import parametrize

#: All checks by name, in the order they run.
CHECKS: dict[str, Callable[[Solver], None]] = {
    check.__name__: check
    for check in (
        checks.check_feasible,
        checks.check_no_avoidable_duplicates,
        checks.check_load_conserved,
        checks.check_deterministic,
        checks.check_survives_pickling,
        checks.check_pure,
        checks.check_scale_invariance,
        checks.check_expert_relabelling,
        checks.check_layer_permutation,
        checks.check_max_moves,
        checks.check_rank_speed,
        checks.check_planted_optimum,
    )
}


def check_solver(
    solver: str | Solver, *, known_failures: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run every check on ``solver``.

    Parameters
    ----------
    solver
        A registered name or any callable from problem to placement.
    known_failures
        Name of a check to the reason why this solver cannot pass it; by default the solver's own
        attribute ``known_failures``. A known failure must still fail, so that the list stays true.

    Returns
    -------
    dict
        Name of each check to "passed", "skipped: …" or "known failure: …".

    Raises
    ------
    AssertionError
        Listing every check that failed, or passed although it is listed as a known failure.
    ValueError
        If the name, or a check in ``known_failures``, is unknown.
    """
    candidate, known = _prepared(solver, known_failures)
    return outcomes(CHECKS, candidate, "solver", known)


def parametrize_with_checks(
    solvers: Iterable[str | Solver], *, known_failures: Mapping[str, str] | None = None
) -> Any:
    """Return a pytest decorator for a test with the arguments ``solver`` and ``check``.

    Known failures (as in :func:`check_solver`) become strict expected failures.
    """
    candidates = [
        (
            solver if isinstance(solver, str) else solver_name(solver),
            *_prepared(solver, known_failures),
        )
        for solver in solvers
    ]
    return parametrize("solver", candidates, CHECKS)


def _prepared(
    solver: str | Solver, known_failures: Mapping[str, str] | None
) -> tuple[Solver, Mapping[str, str]]:
    candidate: Solver = SOLVERS.make(solver) if isinstance(solver, str) else solver
    known = getattr(candidate, "known_failures", {}) if known_failures is None else known_failures
    unknown = sorted(set(known) - set(CHECKS))
    if unknown:
        raise ValueError(f"known_failures names no such check: {unknown}; there are {list(CHECKS)}")
    return candidate, known

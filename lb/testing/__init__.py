"""Conformance checks for solvers, dispatchers and forecasters.

In pytest, one test for every solver and check::

    @lb.testing.parametrize_with_checks(["greedy", my_solver])
    def test_conformance(solver, check):
        check(solver)

Those of dispatchers: :func:`check_dispatcher`. Those of forecasters: :func:`check_forecaster`.
"""

from lb.testing.dispatch_checks import DISPATCH_CHECKS, check_dispatcher
from lb.testing.forecast_checks import FORECAST_CHECKS, check_forecaster
from lb.testing.instances import INSTANCES, planted
from lb.testing.parametrize import CHECKS, check_solver, parametrize_with_checks

__all__ = [
    "CHECKS",
    "DISPATCH_CHECKS",
    "FORECAST_CHECKS",
    "INSTANCES",
    "check_dispatcher",
    "check_forecaster",
    "check_solver",
    "parametrize_with_checks",
    "planted",
]

"""The balancing core: problems, placements, solvers, dispatchers, forecasters, bounds and checks.

Importing it needs numpy and numba alone; a solver's own file is loaded when it is first made.

Examples
--------
>>> import lb
>>> problem = lb.Problem([[90, 30, 20, 10, 5, 5]], num_ranks=2, slots_per_rank=4)
>>> placement = lb.solve(problem, solver="greedy")
>>> placement.balancedness(problem.total_load).round(3)
array([0.941])
"""

import importlib
from typing import Any

from lb import bounds, traffic
from lb.dispatch import check_share, configured
from lb.dispatchers import DISPATCHERS
from lb.even_bound import even_bound
from lb.forecasters import FORECASTERS
from lb.infeasible import Infeasible
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Dispatcher, Forecaster, Solver
from lb.solve import solve
from lb.solvers import SOLVERS
from lb.warm_up import warm_up

make = SOLVERS.make
register = SOLVERS.register
available = SOLVERS.available
make_dispatcher = DISPATCHERS.make
register_dispatcher = DISPATCHERS.register
available_dispatchers = DISPATCHERS.available
make_forecaster = FORECASTERS.make
register_forecaster = FORECASTERS.register
available_forecasters = FORECASTERS.available

__all__ = [
    "DISPATCHERS",
    "FORECASTERS",
    "SOLVERS",
    "Dispatcher",
    "Forecaster",
    "Infeasible",
    "Placement",
    "Problem",
    "Solver",
    "available",
    "available_dispatchers",
    "available_forecasters",
    "bounds",
    "check_share",
    "configured",
    "even_bound",
    "make",
    "make_dispatcher",
    "make_forecaster",
    "register",
    "register_dispatcher",
    "register_forecaster",
    "solve",
    "testing",
    "traffic",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    if name == "testing":  # an engine that solves does not pay for the checks
        return importlib.import_module("lb.testing")
    raise AttributeError(f"module 'lb' has no attribute {name!r}")

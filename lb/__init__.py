"""The balancing core: problems, placements, solvers, dispatchers, bounds and conformance checks.

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
from lb.dispatch import check_share
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Dispatcher, Solver
from lb.registry import Registry
from lb.solve import solve
from lb.solvers import SOLVERS

DISPATCHERS = Registry(
    "dispatcher",
    {
        "even": "lb.dispatch:even",
        "local-first": "lb.dispatchers.local_first:LocalFirst",
        "optimal": "lb.dispatchers.optimal:optimal",
        "rotate": "lb.dispatchers.rotate:Rotate",
    },
    "podlab.dispatchers",
)

make = SOLVERS.make
register = SOLVERS.register
available = SOLVERS.available
make_dispatcher = DISPATCHERS.make
register_dispatcher = DISPATCHERS.register
available_dispatchers = DISPATCHERS.available

__all__ = [
    "DISPATCHERS",
    "SOLVERS",
    "Dispatcher",
    "Placement",
    "Problem",
    "Solver",
    "available",
    "available_dispatchers",
    "bounds",
    "check_share",
    "make",
    "make_dispatcher",
    "register",
    "register_dispatcher",
    "solve",
    "testing",
    "traffic",
]


def __getattr__(name: str) -> Any:
    if name == "testing":  # an engine that solves does not pay for the checks
        return importlib.import_module("lb.testing")
    raise AttributeError(f"module 'lb' has no attribute {name!r}")

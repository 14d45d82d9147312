"""Exact placement by integer linear programming, with OR-Tools CP-SAT or SciPy's HiGHS."""

from lb.solvers.ilp.solver import Ilp, Solved

__all__ = ["Ilp", "Solved"]

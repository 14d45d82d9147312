"""Solver back end OR-Tools CP-SAT: one worker, a deterministic amount of time."""

from typing import Any

import numpy as np

from lb.solvers.ilp.model import Answer, LinearModel


class CpSat:
    """CP-SAT (Perron and Furnon, OR-Tools, developers.google.com/optimization/cp/cp_solver).

    One worker alternates between all of CP-SAT's search strategies, which its documentation calls
    deterministic, under its own count of deterministic seconds.

    Raises
    ------
    ImportError
        If OR-Tools is not installed.
    """

    def __init__(self) -> None:
        try:
            from ortools.sat.python import cp_model
        except ImportError as error:
            raise ImportError(
                "backend 'cp-sat' needs ortools: pip install 'podlab[ilp]'"
            ) from error
        self._cp_model: Any = cp_model

    def __call__(self, model: LinearModel, /, *, budget: float, gap: float, seed: int) -> Answer:
        """Solve ``model``.

        Parameters
        ----------
        model
            What is to be solved.
        budget
            Deterministic seconds, about as long as seconds of one current core.
        gap
            Relative distance between value and bound at which to stop.
        seed
            Seed of CP-SAT's own random choices.
        """
        cp_model = self._cp_model
        program, variables = self._program(model)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.interleave_search = True
        solver.parameters.random_seed = seed
        solver.parameters.max_deterministic_time = budget
        solver.parameters.relative_gap_limit = gap
        status = solver.solve(program)
        spent = solver.response_proto.deterministic_time
        if status == cp_model.INFEASIBLE:
            return Answer(None, np.inf, spent)
        bound = -np.inf if model.minimise is None else float(solver.best_objective_bound)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Answer(None, bound, spent)
        values = np.array([solver.value(variable) for variable in variables], dtype=np.int64)
        return Answer(values, bound, spent)

    def _program(self, model: LinearModel) -> tuple[Any, list[Any]]:
        """Return CP-SAT's form of the model, and its variables in the model's order."""
        program = self._cp_model.CpModel()
        weighted_sum = self._cp_model.LinearExpr.weighted_sum
        bounds = zip(model.lower.tolist(), model.upper.tolist(), strict=True)
        variables = [program.new_int_var(low, high, "") for low, high in bounds]
        column, coefficient = model.column.tolist(), model.coefficient.tolist()
        start, low, high = (
            array.tolist() for array in (model.row_start, model.row_lower, model.row_upper)
        )
        for row in range(len(low)):
            entries = slice(start[row], start[row + 1])
            total = weighted_sum(
                [variables[index] for index in column[entries]], coefficient[entries]
            )
            program.add_linear_constraint(total, low[row], high[row])
        if model.minimise is not None:
            program.minimize(variables[model.minimise])
        if model.hint is not None:
            for variable, value in zip(variables, model.hint.tolist(), strict=True):
                program.add_hint(variable, value)
        return program, variables

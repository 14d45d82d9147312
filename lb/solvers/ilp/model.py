"""An integer linear program as plain arrays, the same for every back end."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Whole variables between bounds, linear rows between bounds, at most one variable to minimise.

    Parameters
    ----------
    lower, upper
        [variables] bounds.
    row_start
        [rows + 1] where each row begins in ``column`` and ``coefficient``.
    column, coefficient
        Entries of the rows.
    row_lower, row_upper
        [rows] bounds.
    minimise
        Index of the variable to minimise; ``None``: any feasible values will do.
    hint
        [variables] feasible values to start from, if known.
    unit
        [rows] what the coefficients of a row are to be compared with; a back end that computes in
        floating point divides by it.
    """

    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    row_start: NDArray[np.int64]
    column: NDArray[np.int64]
    coefficient: NDArray[np.int64]
    row_lower: NDArray[np.int64]
    row_upper: NDArray[np.int64]
    unit: NDArray[np.int64]
    minimise: int | None = None
    hint: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """Result of a back end within its budget.

    Parameters
    ----------
    values
        [variables] feasible values, the best found; ``None`` if none were found.
    bound
        What the minimised variable cannot be below; -inf if nothing is known, inf if the model has
        no solution.
    spent
        Part of the budget that was used up, in the budget's unit.
    """

    values: NDArray[np.int64] | None
    bound: float
    spent: float


class ModelBackend(Protocol):
    """Solves a model within a budget that does not depend on the machine's clock."""

    def __call__(self, model: LinearModel, /, *, budget: float, gap: float, seed: int) -> Answer:
        """Return the best values found."""
        ...


class Rows:
    """Rows of a model that is being built."""

    def __init__(self) -> None:
        self._column: list[Any] = []
        self._coefficient: list[Any] = []
        self._bounds: list[tuple[int, int, int]] = []

    def add(self, column: Any, coefficient: Any, lower: int, upper: int, unit: int = 1) -> None:
        """Add lower <= sum(coefficient * variable[column]) <= upper."""
        self._column.append(np.asarray(column, dtype=np.int64))
        self._coefficient.append(np.broadcast_to(coefficient, self._column[-1].shape))
        self._bounds.append((lower, upper, unit))

    def model(
        self,
        lower: NDArray[np.int64],
        upper: NDArray[np.int64],
        minimise: int | None = None,
        hint: NDArray[np.int64] | None = None,
    ) -> LinearModel:
        """Return the model of these rows."""
        start = np.cumsum([0, *(len(column) for column in self._column)])
        bounds = np.array(self._bounds, dtype=np.int64).reshape(-1, 3).T
        return LinearModel(
            lower,
            upper,
            start,
            np.concatenate(self._column),
            np.concatenate(self._coefficient).astype(np.int64),
            bounds[0],
            bounds[1],
            bounds[2],
            minimise,
            hint,
        )

"""Solver back end SciPy HiGHS, limited by nodes of its search tree."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.solvers.ilp.model import Answer, LinearModel

#: Seconds that the root of the search tree and one further node take for each entry of the matrix,
#: measured by us with HiGHS 1.12 on models of these kinds (1,600 to 12,000 entries), one core.
ROOT_SECONDS = 1e-4
NODE_SECONDS = 1e-6
#: Status of ``scipy.optimize.milp`` for a model without solution.
INFEASIBLE = 2
#: Tolerance of HiGHS on a row that is scaled to about 1: its bounds are good to this.
TOLERANCE = 1e-6


class Highs:
    """HiGHS (Huangfu and Hall 2018, doi:10.1007/s12532-017-0130-5) through ``scipy.optimize.milp``.

    SciPy passes on neither a start nor a seed, so that the model's hint is not used.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    """

    def __init__(self) -> None:
        try:
            import scipy.optimize
            import scipy.sparse
        except ImportError as error:
            raise ImportError("backend 'highs' needs scipy: pip install 'podlab[ilp]'") from error
        self._optimize: Any = scipy.optimize
        self._csr_array: Any = scipy.sparse.csr_array

    def __call__(self, model: LinearModel, /, *, budget: float, gap: float, seed: int) -> Answer:
        """Solve ``model``.

        Parameters
        ----------
        model
            What is to be solved.
        budget
            Seconds, counted as :data:`ROOT_SECONDS` and :data:`NODE_SECONDS` say and not by a
            clock; at least the root is searched.
        gap
            Relative distance between value and bound at which to stop.
        seed
            Not used.
        """
        scale, whole = np.ones(model.lower.size), np.ones(model.lower.size)
        objective = np.zeros(model.lower.size)
        if model.minimise is not None:
            # the one variable that is no count, in the unit of the rows that it is in
            scale[model.minimise] = model.unit.max()
            whole[model.minimise] = 0
            objective[model.minimise] = 1
        entries = model.column.size
        # What the budget leaves after the root, in nodes.
        nodes = max(1, round((budget / entries - ROOT_SECONDS) / NODE_SECONDS))
        result = self._optimize.milp(
            objective,
            integrality=whole,
            bounds=self._optimize.Bounds(model.lower / scale, model.upper / scale),
            constraints=self._rows(model, scale),
            options={"node_limit": nodes, "mip_rel_gap": gap},
        )
        spent = entries * (ROOT_SECONDS + NODE_SECONDS * (result.mip_node_count or 0))
        if result.status == INFEASIBLE:
            return Answer(None, np.inf, spent)
        bound = -np.inf
        if model.minimise is not None and result.mip_dual_bound is not None:
            bound = float(result.mip_dual_bound) * (1 - TOLERANCE) * scale[model.minimise]
        if result.x is None:
            return Answer(None, bound, spent)
        return Answer(np.rint(result.x * scale).astype(np.int64), bound, spent)

    def _rows(self, model: LinearModel, scale: NDArray[np.float64]) -> Any:
        unit = np.repeat(model.unit, np.diff(model.row_start))
        entries = model.coefficient * scale[model.column] / unit
        shape = (model.row_lower.size, model.lower.size)
        matrix = self._csr_array((entries, model.column, model.row_start), shape=shape)
        return self._optimize.LinearConstraint(
            matrix, model.row_lower / model.unit, model.row_upper / model.unit
        )

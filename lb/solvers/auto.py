"""Auto: choose the solver that suits the problem."""

from dataclasses import dataclass
from typing import ClassVar

from lb.placement import Placement
from lb.problem import Problem
from lb.solve import solve


@dataclass(frozen=True)
class Auto:
    """Choose by the fields of the problem, the first that fits.

    1. A budget of moves: ``incremental``.
    2. Tokens by source, co-activation or distances: ``affinity``.
    3. Expert groups that divide over several nodes, whose experts fill a rank's slots without one
       twice: ``hierarchical``.
    4. The ``optimal`` dispatcher, or several windows: ``robust``, which heeds a price of moves.
    5. A price of moves: ``incremental``.
    6. Otherwise ``local-search``.

    All five honour ``rank_speed``. :meth:`choice` says which one it would be.
    """

    forecasts: ClassVar[bool] = True
    honours: ClassVar[frozenset[str]] = frozenset({"max_moves", "rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the answer of the solver chosen; errors are that solver's."""
        return solve(problem, self.choice(problem))

    def choice(self, problem: Problem) -> str:
        """Return the registered name of the solver that suits ``problem``."""
        if problem.max_moves is not None:
            return "incremental"
        traffic = (problem.source_load, problem.coactivation, problem.rank_distance)
        if any(field is not None for field in traffic):
            return "affinity"
        groups, nodes = problem.expert_groups, problem.num_nodes
        fits = problem.slots_per_rank * nodes <= problem.num_experts
        if nodes > 1 and groups > 1 and groups % nodes == 0 and fits:
            return "hierarchical"
        if problem.dispatcher == "optimal" or problem.num_windows > 1:
            return "robust"
        return "local-search" if problem.move_price is None else "incremental"

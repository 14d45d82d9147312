"""Exact placement of one layer at a time by integer linear programming."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import solve
from lb.solvers.ilp.bound import peak_bound
from lb.solvers.ilp.cp_sat import CpSat
from lb.solvers.ilp.flow import FlowSearch
from lb.solvers.ilp.highs import Highs
from lb.solvers.ilp.layer import Layer
from lb.solvers.ilp.model import ModelBackend
from lb.solvers.ilp.objective import rank_times, splits_freely
from lb.solvers.ilp.search import LayerSearch

BACKENDS: dict[str, Callable[[], ModelBackend]] = {"cp-sat": CpSat, "highs": Highs}


@dataclass(frozen=True, eq=False)
class Solved:
    """A placement and what is proven about it.

    Parameters
    ----------
    placement
        The answer.
    peak
        [layers] planned time of the most loaded rank, in the unit of the problem's objective
        (tokens, or seconds with ``expert_cost``; over the rank's speed where speeds are given).
    bound
        [layers] what no placement of the layer can be below under the split that was planned for,
        same unit.
    optimal
        [layers] whether the peak is within the solver's ``gap`` of the bound.
    """

    placement: Placement
    peak: NDArray[np.float64]
    bound: NDArray[np.float64]
    optimal: NDArray[np.bool_]

    @property
    def gap(self) -> NDArray[np.float64]:
        """[layers] relative distance from the bound up to the peak; 0 for a layer without load."""
        above = np.maximum(self.peak - self.bound, 0)
        return np.divide(above, self.bound, out=np.zeros_like(above), where=self.bound > 0)


@dataclass(frozen=True)
class Ilp:
    """Placement by integer linear programming, layer by layer, from the answer of another solver.

    A layer whose hint is within ``gap`` of a lower bound is left alone. Otherwise swaps cool its
    most loaded rank first. Then come three models, while the layer's budget lasts:

    * where few sets of experts fill a rank to within the gap of the bound, an exact cover of all
      ranks by such sets (:class:`~lb.solvers.ilp.cover.Cover`): with the hint's numbers of copies,
      at rising levels, then with other numbers of copies, one exchange after another. Where all of
      them can be tried, that is a proof;
    * where there are too many such sets, covers of a few ranks at a time: the hottest, the coldest
      and some by lot;
    * for small layers, a model that chooses copies and ranks together
      (:class:`~lb.solvers.ilp.exact.Exact`), whose bound is a proof for all placements.

    A layer that the models do not improve keeps its hint. Plans for the problem's planned load and
    honours ``expert_cost`` and ``rank_speed``, for an even split. Where the problem names the
    dispatcher "optimal", and neither costs nor speeds, a model that splits tokens freely follows
    (:class:`~lb.solvers.ilp.flow.FlowSearch`). The joint models are small enough for one layer of
    some 32 experts; 256 experts on 32 ranks are refined a few ranks at a time, and the proof rests
    on the bound alone.

    Parameters
    ----------
    backend
        "cp-sat" (OR-Tools) or "highs" (SciPy), both in the extra ``podlab[ilp]``.
    budget
        What the models of all layers may spend together, divided equally over the layers whose
        hint is not good enough: deterministic seconds of CP-SAT, about as long as seconds of one
        current core, or what :mod:`lb.solvers.ilp.highs` counts as a second. No clock is read, so
        that the answer does not depend on the machine.
    gap
        Relative distance from the bound at which a layer counts as optimal.
    hint
        Solver whose answer is the start: a registered name or a callable.
    seed
        Seed of the back end and of the choice of ranks.
    """

    backend: str = "cp-sat"
    budget: float = 4.0
    gap: float = 1e-4
    hint: str | Solver = "local-search"
    seed: int = 0
    honours: ClassVar[frozenset[str]] = frozenset({"rank_speed"})

    def __call__(self, problem: Problem) -> Placement:
        """Return the best placement found; errors as in :meth:`solve_with_gaps`."""
        return self.solve_with_gaps(problem).placement

    def solve_with_gaps(self, problem: Problem) -> Solved:
        """Return the best placement found, and how far from the optimum it can be.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the hint's solver is unknown or refuses the problem.
        ImportError
            If the package of the back end is not installed.
        """
        backend = self._checked_backend()
        hint = solve(problem, self.hint)
        searches = [self._start(problem, hint, layer, backend) for layer in range(hint.num_layers)]
        for search in searches:
            if not search.done:
                search.polish()
        unfinished = [search for search in searches if not search.done]
        for search in unfinished:
            search.run(self.budget / len(unfinished))
        slots = np.stack([search.layer.slots(search.held) for search in searches])
        found = Placement(slots, problem.num_ranks)
        # Compared anew, since the models round weights: a layer that is no better keeps its hint.
        kept = rank_times(problem, found).max(axis=1) >= rank_times(problem, hint).max(axis=1)
        slots[kept] = hint.physical_to_logical[kept]
        placement = Placement(slots, problem.num_ranks)
        peak = rank_times(problem, placement).max(axis=1)
        bound = np.array([search.bound * search.layer.unit for search in searches])
        optimal = peak <= bound * (1 + self.gap) * (1 + 1e-9)
        return Solved(placement, peak, bound, optimal)

    def _start(
        self, problem: Problem, hint: Placement, index: int, backend: ModelBackend
    ) -> LayerSearch | FlowSearch:
        layer = Layer.of(problem, index)
        if hint.duplicate_count[index]:  # no model has two copies of an expert on one rank
            hint = solve(problem, "greedy")
        held = layer.holds(hint.physical_to_logical[index])
        bound = peak_bound(problem, layer, index)
        search = FlowSearch if splits_freely(problem) else LayerSearch
        return search(layer, held, bound, backend, self.gap, self.seed)

    def _checked_backend(self) -> ModelBackend:
        if self.backend not in BACKENDS:
            raise ValueError(f"backend = {self.backend!r} is not one of {', '.join(BACKENDS)}")
        for name in ("budget", "gap"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} = {value} must be finite and > 0")
        checked_integer(self.seed, "seed", at_least=0)
        return BACKENDS[self.backend]()

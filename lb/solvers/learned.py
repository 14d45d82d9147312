"""Learned: forecast the next window with a trained forecaster, and plan for the forecast."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.forecasters import stored
from lb.forecasters.learned import LearnedForecaster
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import honours, solve
from lb.solvers import SOLVERS


@dataclass(frozen=True)
class Learned:
    """Let another solver plan for the forecast of a :class:`LearnedForecaster`.

    As registered it learns afresh at each call from the windows of the problem, and keeps nothing
    between calls. :meth:`fit` returns a new solver that has learned from a whole trace, to be saved
    with :meth:`save` and read with :func:`load_learned`. A forecast that the problem brings along
    is replaced.

    Parameters
    ----------
    planner
        Registered solver that places; it must plan for :attr:`Problem.planned_load`. Demands are
        honoured if it honours them.
    forecaster
        Says what to plan for.
    scenarios
        Possible next windows that the planner is shown in place of the observed ones, drawn
        lognormal around the forecast by its spread, each expert on its own: for planners that heed
        several windows. 0 leaves the observed ones.
    seed
        Of the scenarios.
    """

    planner: str = "robust"
    forecaster: LearnedForecaster = field(default_factory=LearnedForecaster)
    scenarios: int = 0
    seed: int = 0
    forecasts: ClassVar[bool] = True

    @property
    def honours(self) -> frozenset[str]:
        """Demands that the planner honours."""
        return honours(self._planner())

    @property
    def known_failures(self) -> Mapping[str, str]:
        """Conformance checks that the planner cannot pass."""
        failures: Mapping[str, str] = getattr(self._planner(), "known_failures", {})
        return failures

    def __call__(self, problem: Problem) -> Placement:
        """Return the planner's placement for the forecast.

        Raises
        ------
        ValueError
            If the planner is unknown or ``learned`` itself, or a parameter is out of its range.
        ImportError
            If scikit-learn is not there.
        """
        count = checked_integer(self.scenarios, "scenarios", at_least=0)
        expected, deviation = self.forecaster.forecast(problem.load)
        asked = problem.replace(forecast=expected)
        if count:
            asked = asked.replace(load=self._drawn(expected, deviation))
        return solve(asked, self._planner())

    def fit(self, history: Any, window_steps: int = 1) -> "Learned":
        """Return a new solver whose forecaster has learned from ``history``.

        Parameters and errors as in :meth:`LearnedForecaster.fit`.
        """
        return replace(self, forecaster=self.forecaster.fit(history, window_steps))

    def save(self, path: str | Path) -> None:
        """Write what the forecaster learned; errors as in :func:`lb.forecasters.stored.save`."""
        stored.save(self.forecaster, path)

    def _planner(self) -> Solver:
        if self.planner == "learned":
            raise ValueError("planner = 'learned' would ask itself; name another solver")
        return SOLVERS.make(self.planner)

    def _drawn(
        self, expected: NDArray[np.float64], deviation: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return possible windows [scenarios, layers, experts], the tokens of a layer kept."""
        noise = np.random.default_rng(self.seed).normal(size=(self.scenarios, *expected.shape))
        windows: NDArray[np.float64] = expected * np.exp(deviation * noise)
        # Noise changes the total of a layer: scale back to that of the forecast.
        drawn = windows.sum(axis=2, keepdims=True)
        wanted = expected.sum(axis=1, keepdims=True)
        windows *= np.divide(wanted, drawn, out=np.zeros_like(drawn), where=drawn > 0)
        return windows


def load_learned(path: str | Path, **params: Any) -> Learned:
    """Return the solver whose forecaster :meth:`Learned.save` wrote.

    Parameters
    ----------
    path
        The file; errors as in :func:`lb.forecasters.stored.load`.
    params
        Further parameters of :class:`Learned`, which the file does not hold: the planner.
    """
    return Learned(forecaster=stored.load(path), **params)

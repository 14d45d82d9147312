"""Experts under other numbers, so that a program cannot look up a trace that it knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb


@dataclass(frozen=True, eq=False)
class Permutation:
    """Other numbers for the experts of each layer; groups of experts stay together.

    Parameters
    ----------
    order
        [layers, experts] the expert that goes under each number.
    """

    order: NDArray[np.int64]

    @classmethod
    def drawn(cls, layers: int, experts: int, groups: int, seed: list[int]) -> "Permutation":
        """Draw one: the groups of a layer change places, and the experts within each."""
        generator = np.random.default_rng(seed)
        size = experts // groups
        within = generator.permuted(np.tile(np.arange(size), (layers * groups, 1)), axis=1)
        first = size * generator.permuted(np.tile(np.arange(groups), (layers, 1)), axis=1)
        return cls((first[:, :, None] + within.reshape(layers, groups, size)).reshape(layers, -1))

    def hidden(self, problem: lb.Problem) -> dict[str, NDArray[Any]]:
        """Return the arrays of a problem that change, its experts under their new numbers."""
        changes = {"load": self._renumbered(problem.load)}
        if problem.forecast is not None:
            changes["forecast"] = self._renumbered(problem.forecast)
        if problem.source_load is not None:
            changes["source_load"] = _taken(problem.source_load, self.order[:, None])
        if problem.coactivation is not None:
            rows = np.take_along_axis(problem.coactivation, self.order[:, :, None], axis=1)
            changes["coactivation"] = _taken(rows, self.order[:, None])
        if problem.current is not None:
            number = np.argsort(self.order, axis=1)
            changes["current"] = _taken(number, problem.current.physical_to_logical)
        return changes

    def _renumbered(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [..., layers, experts] loads by their new numbers."""
        layers, experts = self.order.shape
        flat = (np.arange(layers)[:, None] * experts + self.order).ravel()
        taken: NDArray[np.float64] = load.reshape(-1, layers * experts).take(flat, axis=1)
        return taken.reshape(load.shape)

    def shown(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return [layers, slots] a table of new numbers with the experts' own.

        Raises
        ------
        Infeasible
            If a number is none of an expert.
        """
        most = self.order.shape[1] - 1
        if table.size and (table.min() < 0 or table.max() > most):
            worst = table.min() if table.min() < 0 else table.max()
            raise lb.Infeasible(f"the answer places expert {worst}; experts run from 0 to {most}")
        return _taken(self.order, table)


def _taken(array: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    return np.take_along_axis(
        array, np.broadcast_to(order, (*array.shape[:-1], order.shape[-1])), -1
    )

"""Renumbered experts, so that a program cannot look up a trace that it knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb


@dataclass(frozen=True, eq=False)
class Permutation:
    """New numbers for the experts of each layer; groups of experts stay together.

    Parameters
    ----------
    order
        [layers, experts] the expert that has each new number.
    """

    order: NDArray[np.int64]

    @classmethod
    def random(cls, layers: int, experts: int, groups: int, seed: list[int]) -> "Permutation":
        """Return a random one: the groups of a layer change places, and the experts in a group."""
        generator = np.random.default_rng(seed)
        size = experts // groups
        within = generator.permuted(np.tile(np.arange(size), (layers * groups, 1)), axis=1)
        first = size * generator.permuted(np.tile(np.arange(groups), (layers, 1)), axis=1)
        return cls((first[:, :, None] + within.reshape(layers, groups, size)).reshape(layers, -1))

    def renumber(self, problem: lb.Problem) -> dict[str, NDArray[Any]]:
        """Return the arrays of a problem that depend on expert numbers, with the new numbers."""
        changes = {"load": self._renumbered(problem.load)}
        if problem.forecast is not None:
            changes["forecast"] = self._renumbered(problem.forecast)
        if problem.source_load is not None:
            changes["source_load"] = _take(problem.source_load, self.order[:, None])
        if problem.coactivation is not None:
            rows = np.take_along_axis(problem.coactivation, self.order[:, :, None], axis=1)
            changes["coactivation"] = _take(rows, self.order[:, None])
        if problem.current is not None:
            new_number = np.argsort(self.order, axis=1)  # the inverse permutation
            changes["current"] = _take(new_number, problem.current.physical_to_logical)
        return changes

    def _renumbered(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return [..., layers, experts] loads in the order of the new numbers."""
        # One take over layers x experts is faster than take_along_axis with a broadcast index.
        layers, experts = self.order.shape
        flat = (np.arange(layers)[:, None] * experts + self.order).ravel()
        renumbered: NDArray[np.float64] = load.reshape(-1, layers * experts).take(flat, axis=1)
        return renumbered.reshape(load.shape)

    def restore(self, table: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return [layers, slots] a table of new numbers as one of original numbers.

        Raises
        ------
        Infeasible
            If the table holds a number that no expert has.
        """
        most = self.order.shape[1] - 1
        if table.size and (table.min() < 0 or table.max() > most):
            worst = table.min() if table.min() < 0 else table.max()
            raise lb.Infeasible(f"the answer places expert {worst}; experts run from 0 to {most}")
        return _take(self.order, table)


def _take(array: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    return np.take_along_axis(
        array, np.broadcast_to(order, (*array.shape[:-1], order.shape[-1])), -1
    )

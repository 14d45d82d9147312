"""Entry point of the balancing competition: repair the layer that needs it most, each iteration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts, checked_integer, checked_number
from lb.engines.alignment import aligned
from lb.engines.planner import start_up_row
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import solve

#: Least expected count of an expert in an iteration; keeps that of an idle one off 0.
LEAST_COUNT = 0.1


@dataclass
class Competitor:
    """A solver as ``rebalance(hotness, n_device, n_red_expert) -> (change, layers, table, aux)``.

    The load of the moment is estimated from the counts (:func:`tracked_load`). The layers with the
    largest ratio of maximum to mean rank load are given to the solver, with what is loaded and with
    a price a move. The protocol does not say what is loaded, so this object remembers its own last
    answer, at first the layout of the start: make a new one for each run.

    Parameters
    ----------
    solver
        A registered name (:func:`lb.available`) or any callable from problem to placement.
    params
        Parameters of a named solver.
    layers
        Layers that one answer changes at most. One layer is loaded an iteration and nobody is asked
        until all are: with 1, each answer goes by the newest counts; with more, fewer iterations
        pass in waiting where a call costs some. The default does well in both
        (docs/competition.md).
    least_gain
        What one moved expert must take off a layer's ratio of maximum to mean rank load to be worth
        its price. Of a run of T iterations and L layers, a fall that lasts n iterations pays at
        88,080,384 B / 900 GB/s * T * L / (60 s * n): 0.0055 for n = 70, T = 4,096, L = 58.
    drift
        Standard deviation of the change of an expert's log load in an iteration.
    """

    solver: str | Solver = "incremental"
    params: Mapping[str, Any] = field(default_factory=dict)
    layers: int = 4
    least_gain: float = 0.0055
    drift: float = 0.0245
    _loaded: NDArray[np.int64] | None = field(default=None, init=False, repr=False)

    def __call__(
        self, hotness: ArrayLike, n_device: int, n_red_expert: int
    ) -> tuple[bool, NDArray[np.int64], NDArray[np.int64], None]:
        """Return whether a slot changes, the layers that change, and the whole table.

        Parameters
        ----------
        hotness
            [iterations, layers, experts] counts, oldest first.
        n_device
            Ranks.
        n_red_expert
            Slots of a layer beyond one for each expert, over all ranks.

        Returns
        -------
        tuple
            Whether a slot changes; the layers that do, the worst first; [layers, ranks,
            slots_per_rank] the expert in each slot, an expert that stays on its rank keeping its
            slot; and ``None``.

        Raises
        ------
        ValueError
            If a parameter or an argument is out of range, or another shape than before.
        """
        most = checked_integer(self.layers, "layers", at_least=1)
        least_gain = checked_number(self.least_gain, "least_gain", at_least=0.0)
        load = tracked_load(hotness, self.drift)
        ranks = checked_integer(n_device, "n_device", at_least=1)
        slots = load.shape[1] + checked_integer(n_red_expert, "n_red_expert", at_least=0)
        if slots % ranks:
            raise ValueError(
                f"{load.shape[1]} experts + n_red_expert = {n_red_expert} over n_device = {ranks} "
                f"leaves {slots % ranks} over; every rank owns the same number of slots"
            )
        before = self._before((len(load), slots), load.shape[1])
        rank_load = Placement(before, ranks).rank_load(load)
        mean = rank_load.mean(axis=1)
        excess = rank_load.max(axis=1) / np.where(mean > 0, mean, 1.0)
        worst = np.argsort(-excess, kind="stable")[:most]
        current = Placement(before[worst], ranks)
        # One price for all layers, in tokens: least_gain is in units of the mean rank load.
        price = least_gain * float(mean[worst].mean())
        problem = Problem(load[worst], ranks, slots // ranks, current=current, move_price=price)
        answer = aligned(solve(problem, self.solver, **self.params), before[worst])
        table = before.copy()
        table[worst] = answer.physical_to_logical
        changed = worst[(table[worst] != before[worst]).any(axis=1)]
        self._loaded = table
        return bool(changed.size), changed, table.reshape(len(load), ranks, -1).copy(), None

    def _before(self, shape: tuple[int, int], experts: int) -> NDArray[np.int64]:
        if self._loaded is None:
            return np.tile(start_up_row(experts, shape[1]), (shape[0], 1))
        if self._loaded.shape != shape:
            raise ValueError(
                f"{shape[0]} layers of {shape[1]} slots after {self._loaded.shape[0]} of "
                f"{self._loaded.shape[1]}; make a new Competitor for each run"
            )
        return self._loaded


def tracked_load(hotness: ArrayLike, drift: float) -> NDArray[np.float64]:
    """Estimate the present counts [layers, experts] by a Kalman filter for each expert.

    The logarithm of an expert's load takes normal steps of standard deviation ``drift``; its count
    has the variance of a Poisson number. What a new count changes is weighed by how uncertain the
    estimate is against how noisy the count: a heavy expert follows its last counts, a light one the
    mean of many. (Kalman 1960, Journal of Basic Engineering 82(1), doi:10.1115/1.3662552;
    linearised in the relative error, which is ours.)

    Parameters
    ----------
    hotness
        [iterations, layers, experts] counts, oldest first.
    drift
        As in :class:`Competitor`; 0 gives the mean of the counts, but for the linearisation.

    Raises
    ------
    ValueError
        If the counts are not finite numbers >= 0 of that shape, or ``drift`` is negative.
    """
    counts = checked_amounts(hotness, "hotness", ("iterations", "layers", "experts"))
    step = checked_number(drift, "drift", at_least=0.0) ** 2
    load = counts[0] + 0.5  # half a token more, since nothing counted is not nothing expected
    # Poisson: the variance of a count is its mean, so that of the relative error is 1 / mean.
    variance = 1.0 / load  # of the relative error
    for count in counts[1:]:
        # Predict: the drift of the step makes the estimate less certain.
        variance = variance + step
        # Update: the less certain the estimate against the count, the more the count changes it.
        gain = variance / (variance + 1.0 / load)
        load = np.maximum(load + gain * (count - load), LEAST_COUNT)
        variance = (1.0 - gain) * variance
    return load

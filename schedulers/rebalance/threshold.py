"""Rebalance when the last window was out of balance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import lb
from lb.checked import checked_amounts, checked_number
from lb.placement import Placement


@dataclass(frozen=True)
class Threshold:
    """Ask when the last window used the ranks less than a threshold.

    SGLang's ``--eplb-min-rebalancing-utilization-threshold`` is this rule over layers; its default
    1.0 always asks. The default here is an assumption of ours: drift takes balancers from above
    0.99 on the window they saw to below 0.8 on the following one.

    Parameters
    ----------
    balancedness
        The threshold, 0 to 1: below it the solver is asked.
    over
        What is compared. "layers": the mean over layers of mean / maximum rank load. "time": mean
        rank load / maximum rank load, each added up over layers first. Layers run one after another
        and each waits for its most loaded rank, so the second is nearer to the time that is lost.
    dispatcher
        Registered name of the one in use: it says what load the ranks had.
    """

    balancedness: float = 0.8
    over: str = "layers"
    dispatcher: str = "even"

    def __call__(self, windows_seen: int, load: NDArray[np.int64], placement: Placement) -> bool:
        """Say whether the last window's balancedness is below the threshold.

        Raises
        ------
        ValueError
            If a parameter is out of range, or the load is not [windows, layers, experts] of the
            placement, finite and not negative.
        """
        threshold = checked_number(self.balancedness, "balancedness", at_least=0.0, at_most=1.0)
        last = checked_amounts(load, "load", ("windows", "layers", "experts"))[-1]
        share = lb.make_dispatcher(self.dispatcher)(placement, last)
        return self._utilisation(placement, last, share) < threshold

    def _utilisation(
        self, placement: Placement, load: NDArray[np.float64], share: NDArray[np.float64]
    ) -> float:
        if self.over == "layers":
            return float(placement.balancedness(load, share).mean())
        if self.over == "time":
            # Layers run one after another, so that peaks add up.
            rank_load = placement.rank_load(load, share)
            peak = float(rank_load.max(axis=1).sum())
            return float(rank_load.mean(axis=1).sum()) / peak if peak > 0 else 1.0
        raise ValueError(f"over = {self.over!r} is not 'layers' or 'time'")

"""Rebalance when the forecast gain exceeds the price of moving experts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb
from lb.checked import checked_amounts, checked_number
from lb.placement import Placement


@dataclass(frozen=True)
class ForecastGain:
    """Ask when a new placement should earn more than it costs; no solver runs for the estimate.

    The gain is the load taken off the most loaded ranks, added up over layers, in seconds:
    ``reach`` of the way from what they carry now to what they must carry in any placement
    (:func:`lb.bounds.balancedness_bound`). The price is that of moving ``moved`` of the slots, a
    rank's one after another, ranks at the same time. Rule, estimate and defaults are ours.

    Parameters
    ----------
    forecaster
        Registered name: what the coming windows hold.
    dispatcher
        Registered name of the one in use: it says what load the ranks have now.
    hold_windows
        Windows that a placement is expected to hold, more than 0. Where one recorded step stands
        for several engine steps, times their number.
    reach
        Part of the way to the bound that a new placement goes on the load that comes, 0 to 1. With
        1 the gain is an upper estimate. Half is an assumption: solvers come within 0.01 of the
        bound on the load that they saw, and drift takes much of it away.
    seconds_per_token
        Cost of one more token on the most loaded rank of a layer, compute and transfers. The
        default is what podlab's step executor says of DeepSeek-V3 on CloudMatrix384 dies with 16 to
        256 tokens a rank: 0.37 to 0.42 µs.
    moved
        Part of the slots that change, 0 to 1. A quarter is what published solvers that keep to the
        current placement and those that do not lie on either side of (10 and 95 %).
    seconds_per_move
        What one expert that a rank receives costs the engine. The default is an expert of
        DeepSeek-V3 in INT8 (44 MB) at the 135 GB/s at which such a die receives.
    """

    forecaster: str = "similar"
    dispatcher: str = "even"
    hold_windows: float = 1.0
    reach: float = 0.5
    seconds_per_token: float = 4e-7
    moved: float = 0.25
    seconds_per_move: float = 3.3e-4

    def __call__(self, windows_seen: int, load: NDArray[np.int64], placement: Placement) -> bool:
        """Say whether the gain exceeds the price.

        Raises
        ------
        ValueError
            If a parameter is out of range, a name unknown, or the load is not [windows, layers,
            experts] of the placement, finite and not negative.
        """
        return self.gain_s(load, placement) > self.price_s(placement)

    def gain_s(self, load: NDArray[Any], placement: Placement) -> float:
        """Return the seconds that a new placement should save while it holds.

        Parameters
        ----------
        load
            [windows, layers, experts] tokens, oldest window first.
        placement
            In use now.
        """
        reach = checked_number(self.reach, "reach", at_least=0.0, at_most=1.0)
        each = checked_number(self.seconds_per_token, "seconds_per_token", at_least=0.0)
        hold = checked_number(self.hold_windows, "hold_windows")
        if hold <= 0:
            raise ValueError(f"hold_windows = {hold:g} breaks hold_windows > 0")
        windows = checked_amounts(load, "load", ("windows", "layers", "experts"))
        forecast = lb.make_forecaster(self.forecaster)(windows)
        share = lb.make_dispatcher(self.dispatcher)(placement, forecast)
        rank_load = placement.rank_load(forecast, share)
        ranks, width = placement.num_ranks, placement.slots_per_rank
        # The load of the most loaded rank in the best placement that the bound does not exclude.
        best = rank_load.mean(axis=1) / lb.bounds.balancedness_bound(forecast, ranks, width)
        spared = np.maximum(rank_load.max(axis=1) - best, 0.0)  # at the bound, rounding remains
        return float(spared.sum()) * reach * each * hold

    def price_s(self, placement: Placement) -> float:
        """Return the seconds that moving should cost."""
        moved = checked_number(self.moved, "moved", at_least=0.0, at_most=1.0)
        each = checked_number(self.seconds_per_move, "seconds_per_move", at_least=0.0)
        # A rank's moves follow each other; ranks move at the same time.
        return moved * placement.num_layers * placement.slots_per_rank * each

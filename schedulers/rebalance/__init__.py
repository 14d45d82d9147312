"""Rebalance policies decide after every window of steps whether to ask the solver again."""

from schedulers.rebalance.forecast_gain import ForecastGain
from schedulers.rebalance.interval import Interval, never
from schedulers.rebalance.policy import RebalancePolicy
from schedulers.rebalance.threshold import Threshold

__all__ = ["ForecastGain", "Interval", "RebalancePolicy", "Threshold", "never"]

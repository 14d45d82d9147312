"""Forecasters, one file each: from past windows to the load of the next."""

from lb.registry import Registry

FORECASTERS = Registry(
    "forecaster",
    {
        "autoregressive": "lb.forecasters.autoregressive:autoregressive",
        "ewma": "lb.forecasters.ewma:Ewma",
        "last": "lb.forecasters.last:last",
        "learned": "lb.forecasters.learned:LearnedForecaster",
        "mean": "lb.forecasters.mean:mean",
        "quantile": "lb.forecasters.quantile:Quantile",
        "similar": "lb.forecasters.similar:Similar",
        "trend": "lb.forecasters.trend:trend",
    },
    "podlab.forecasters",
)

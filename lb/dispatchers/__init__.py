"""Dispatchers, one file each. A new one adds its line here."""

from lb.registry import Registry

DISPATCHERS = Registry(
    "dispatcher",
    {
        "even": "lb.dispatch:even",
        "local-first": "lb.dispatchers.local_first:LocalFirst",
        "optimal": "lb.dispatchers.optimal:optimal",
        "rotate": "lb.dispatchers.rotate:Rotate",
    },
    "podlab.dispatchers",
)

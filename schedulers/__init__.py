"""Who runs what, and when: so far, when to rebalance."""

from lb.registry import Registry

REBALANCE = Registry(
    "rebalance policy",
    {
        "interval": "schedulers.rebalance:Interval",
        "never": "schedulers.rebalance:never",
    },
    "podlab.rebalance",
)

make_rebalance = REBALANCE.make
available_rebalance = REBALANCE.available

__all__ = ["REBALANCE", "available_rebalance", "make_rebalance"]

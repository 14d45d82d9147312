"""Placement solvers, one file each. A new one adds its line here."""

from lb.registry import Registry

SOLVERS = Registry(
    "solver",
    {
        "contiguous": "lb.solvers.contiguous:contiguous",
        "eplb": "lb.solvers.eplb:Eplb",
        "greedy": "lb.solvers.greedy:Greedy",
        "ilp": "lb.solvers.ilp:Ilp",
        "random": "lb.solvers.random:Random",
        "xdeepserve": "lb.solvers.xdeepserve:XDeepServe",
    },
    "podlab.solvers",
)

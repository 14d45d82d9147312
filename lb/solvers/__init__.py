"""Placement solvers, one file each. A new one adds its line here."""

from lb.registry import Registry

SOLVERS = Registry(
    "solver",
    {
        "affinity": "lb.solvers.affinity:Affinity",
        "contiguous": "lb.solvers.contiguous:contiguous",
        "eplb": "lb.solvers.eplb:Eplb",
        "greedy": "lb.solvers.greedy:Greedy",
        "hierarchical": "lb.solvers.hierarchical:Hierarchical",
        "local-search": "lb.solvers.local_search:LocalSearch",
        "random": "lb.solvers.random:Random",
    },
    "podlab.solvers",
)

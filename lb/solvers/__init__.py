"""Placement solvers, one file each. A new one adds its line here."""

from lb.registry import Registry

SOLVERS = Registry(
    "solver",
    {
        "affinity": "lb.solvers.affinity:Affinity",
        "auto": "lb.solvers.auto:Auto",
        "contiguous": "lb.solvers.contiguous:contiguous",
        "eplb": "lb.solvers.eplb:Eplb",
        "greedy": "lb.solvers.greedy:Greedy",
        "hierarchical": "lb.solvers.hierarchical:Hierarchical",
        "ilp": "lb.solvers.ilp:Ilp",
        "incremental": "lb.solvers.incremental:Incremental",
        "learned": "lb.solvers.learned:Learned",
        "local-search": "lb.solvers.local_search:LocalSearch",
        "random": "lb.solvers.random:Random",
        "robust": "lb.solvers.robust:Robust",
        "xdeepserve": "lb.solvers.xdeepserve:XDeepServe",
    },
    "podlab.solvers",
)

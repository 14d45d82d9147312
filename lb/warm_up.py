"""Compile what an engine's calls need, before the first one is waited for."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lb.dispatchers import DISPATCHERS
from lb.placement import Placement
from lb.problem import Problem
from lb.protocols import Solver
from lb.solve import honours, solve
from lb.solvers import SOLVERS

#: The smallest deployment with nodes, groups and redundant experts.
EXPERTS, RANKS, SLOTS_PER_RANK = 8, 4, 3


def warm_up(
    solver: str | Solver = "auto",
    dispatcher: str = "even",
    *,
    windows: int = 1,
    nodes: int = 1,
    **params: Any,
) -> None:
    """Compile the kernels of a solver and a dispatcher, or load them from numba's cache.

    Solves tiny problems of the same kind: without and with a current placement, which a solver that
    honours ``max_moves`` also gets a budget for. Sizes do not matter, since kernels are compiled
    for any number of layers, experts and ranks, and every dtype of a load is converted first.

    Parameters
    ----------
    solver
        A registered name or any callable from problem to placement.
    dispatcher
        Registered name. It is part of the problem, and it splits a load once.
    windows
        Windows of load that a call gets; "auto" goes by whether there are several.
    nodes
        Nodes of the deployment. With several, expert groups are given too, which "auto" goes by.
    params
        Parameters of a named solver.

    Raises
    ------
    ValueError
        If a name, a parameter or a number is wrong, or the solver fails on a tiny problem.

    Examples
    --------
    >>> import lb
    >>> lb.warm_up("greedy")
    """
    if windows < 1 or nodes not in (1, 2):
        raise ValueError(
            f"windows = {windows}, nodes = {nodes}; give windows >= 1 and 1 or 2 nodes, which "
            "stand for one node and for several"
        )
    split = DISPATCHERS.make(dispatcher)
    with_budget = "max_moves" in honours(_made(solver, params))
    for problem in _problems(dispatcher, windows, nodes, with_budget):
        placement = solve(problem, solver, **params)
        share = split(placement, problem.planned_load)
        placement.balancedness(problem.planned_load, share)


def _problems(dispatcher: str, windows: int, nodes: int, with_budget: bool) -> Iterator[Problem]:
    load = np.random.default_rng(0).integers(1, 100, (windows, 1, EXPERTS)).astype(np.float64)
    first = Problem(
        load,
        RANKS,
        SLOTS_PER_RANK,
        ranks_per_node=RANKS // nodes,
        expert_groups=1 if nodes == 1 else EXPERTS // 2,
        dispatcher=dispatcher,
    )
    yield first
    slots = np.arange(RANKS * SLOTS_PER_RANK) % EXPERTS
    loaded = first.replace(current=Placement(slots[None], RANKS))
    yield loaded
    if with_budget:
        yield loaded.replace(max_moves=2)


def _made(solver: str | Solver, params: dict[str, Any]) -> Solver:
    return SOLVERS.make(solver, **params) if isinstance(solver, str) else solver

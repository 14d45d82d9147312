"""Objective of a placement: the time of the most loaded rank."""

import numpy as np
from numpy.typing import NDArray

from lb.dispatchers.optimal import optimal
from lb.placement import Placement
from lb.problem import Problem


def seconds(expert_cost: NDArray[np.float64], tokens: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds of one replica with ``tokens``: linear between and beyond the points.

    Parameters
    ----------
    expert_cost
        [points, 2] tokens and seconds, as in :class:`lb.Problem`.
    tokens
        Tokens of one replica, of any shape.
    """
    points, times = expert_cost.T
    slope = (times[-1] - times[-2]) / (points[-1] - points[-2])
    return np.interp(tokens, points, times) + slope * np.maximum(tokens - points[-1], 0)


def splits_freely(problem: Problem) -> bool:
    """Return whether the dispatcher may split tokens unevenly to relieve the most loaded rank.

    So it is under the dispatcher ``optimal``, which counts tokens on equal ranks: with costs or
    speeds an even split is planned for.
    """
    counts_tokens = problem.expert_cost is None and problem.rank_speed is None
    return problem.dispatcher == "optimal" and counts_tokens


def rank_times(problem: Problem, placement: Placement) -> NDArray[np.float64]:
    """Return [layers, ranks] planned work of each rank, over its speed where speeds are given."""
    load = problem.planned_load
    if splits_freely(problem):
        return placement.rank_load(load, optimal(placement, load))
    if problem.expert_cost is None:
        work = placement.rank_load(load)
    else:
        slots = placement.physical_to_logical
        tokens = np.take_along_axis(load, slots, axis=1) * placement.even_share
        by_rank = (placement.num_layers, placement.num_ranks, -1)
        work = seconds(problem.expert_cost, tokens).reshape(by_rank).sum(axis=2)
    return work if problem.rank_speed is None else work / problem.rank_speed

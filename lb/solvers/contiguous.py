"""Contiguous: no balancing, experts in the order of their ids."""

import numpy as np

from lb.placement import Placement
from lb.problem import Problem


def contiguous(problem: Problem) -> Placement:
    """Fill the slots with experts 0, 1, 2 … and start over for the redundant ones.

    This is how engines lay out experts at start-up (vLLM: 0 … E-1, then copies of 0, 1, 2 …), and
    the baseline without balancing. Consecutive ids on a rank are distinct, since no rank has more
    slots than there are experts.
    """
    row = np.arange(problem.num_slots) % problem.num_experts
    return Placement(np.tile(row, (problem.num_layers, 1)), problem.num_ranks)


contiguous.known_failures = {  # type: ignore[attr-defined]
    "check_expert_relabelling": "places by expert id, without looking at the load",
    "check_planted_optimum": "places by expert id, without looking at the load",
}

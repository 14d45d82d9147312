"""The part of a placement that an engine loads when the number of moves is limited."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb


def apply_move_budget(
    wanted: lb.Placement, before: lb.Placement, load: NDArray[Any], max_moves: int
) -> lb.Placement:
    """Return the placement with as many layers of ``wanted`` as ``max_moves`` allows.

    Whole layers are loaded. The layers with the largest gain of balancedness per move, under an
    even split, come first. Layers without moves are always loaded. This rule is our assumption. It
    compares solvers that know no limit with solvers that keep to it.

    Parameters
    ----------
    wanted, before
        The solver's answer, and the loaded placement.
    load
        [layers, experts] tokens that gains are measured on.
    max_moves
        Expert weights that ranks may receive.
    """
    moves = wanted.moves_from(before).sum(axis=1)
    if moves.sum() <= max_moves:
        return wanted
    gain = wanted.balancedness(load) - before.balancedness(load)
    order = np.argsort(-gain / np.maximum(moves, 1), kind="stable")
    table = np.where(moves[:, None] == 0, wanted.physical_to_logical, before.physical_to_logical)
    # Greedy: a layer that does not fit is skipped, a later and smaller one may still fit.
    budget = max_moves
    for layer in order.tolist():
        if 0 < moves[layer] <= budget and gain[layer] > 0:
            table[layer] = wanted.physical_to_logical[layer]
            budget -= int(moves[layer])
    return lb.Placement(table, wanted.num_ranks)

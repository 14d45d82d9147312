"""What an engine loads of an answer when only so many experts may move."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import lb


def limited(
    wanted: lb.Placement, before: lb.Placement, load: NDArray[Any], max_moves: int
) -> lb.Placement:
    """Return the placement with as many layers of ``wanted`` as ``max_moves`` allows.

    Whole layers are taken over, those first that gain the most balancedness a move under an even
    split; layers that move nothing always. An assumption of ours: it lets solvers that know no
    limit be compared with those that do, whose answers keep to it and are loaded as they are.

    Parameters
    ----------
    wanted, before
        The answer, and what is loaded.
    load
        [layers, experts] that gains are measured on.
    max_moves
        Expert weights that ranks may receive.
    """
    moves = wanted.moves_from(before).sum(axis=1)
    if moves.sum() <= max_moves:
        return wanted
    gain = wanted.balancedness(load) - before.balancedness(load)
    order = np.argsort(-gain / np.maximum(moves, 1), kind="stable")
    table = np.where(moves[:, None] == 0, wanted.physical_to_logical, before.physical_to_logical)
    left = max_moves
    for layer in order.tolist():
        if 0 < moves[layer] <= left and gain[layer] > 0:
            table[layer] = wanted.physical_to_logical[layer]
            left -= int(moves[layer])
    return lb.Placement(table, wanted.num_ranks)

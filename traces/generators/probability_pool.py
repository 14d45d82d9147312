"""Pools of tokens that choose experts with given probabilities."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel
from traces.token_pool import SIZES, TokenPool, pool_of_cells

#: Tokens of a pool; shares are met to a few tokens in as many.
TOKENS = 2048
#: Orders in which experts lie, so that which ones exclude each other differs between tokens.
ORDERS = 4


def probability_pool(
    chance: NDArray[np.float64], top_k: int, random: np.random.Generator
) -> TokenPool:
    """Return a pool of tokens that choose every expert with its probability.

    Tokens are drawn by systematic sampling (Madow, Ann. Math. Stat. 20, 1949). Experts lie end to
    end in random order, each as long as its probability. A token takes the experts at ``top_k``
    points that are a length of 1 apart, so that they are distinct and probabilities are exact.
    First points are spread evenly over the tokens. The order decides which experts are chosen
    together. It differs between layers and quarters of the tokens: an assumption of ours, because
    probabilities alone do not determine it. The pool has chunks of up to 1,024 tokens.

    Parameters
    ----------
    chance
        [layers, experts], each at most 1, adding up to ``top_k`` in every layer.
    top_k
        Experts that a token chooses in a layer.
    random
        Generator of orders and points.
    """
    layers, experts = chance.shape
    width = layers * experts
    cells = np.empty((TOKENS, layers * top_k), np.uint16 if width <= 2**16 else np.uint32)
    each = TOKENS // ORDERS
    for number in range(ORDERS):
        order = random.permuted(np.tile(np.arange(experts), (layers, 1)), axis=1)
        upto = np.cumsum(np.take_along_axis(chance, order, axis=1), axis=1)
        # By rounding, the last point might lie beyond all experts.
        upto *= top_k / upto[:, -1:]
        # One first point in each of equally long stretches, so that shares are met closely.
        spread = random.permuted(np.tile(np.arange(each), (layers, 1)), axis=1)
        first = (spread + random.random((layers, each))) / each
        _take(upto, order, first, top_k, cells[number * each : (number + 1) * each])
    return pool_of_cells(cells, width, SIZES[1:-1], random)


@kernel
def _take(
    upto: NDArray[np.float64],
    order: NDArray[np.int64],
    first: NDArray[np.float64],
    top_k: int,
    cells: NDArray[np.uint16],
) -> None:
    """Fill ``cells`` [tokens, layers * top_k] from running probabilities and first points."""
    layers, experts = upto.shape
    for layer in range(layers):
        for token in range(len(cells)):
            place = 0
            for choice in range(top_k):
                point = first[layer, token] + choice
                # those left for later choices must be as many as these
                last = experts - top_k + choice
                low, high = place, last
                while low < high:
                    middle = (low + high) // 2
                    if upto[layer, middle] > point:
                        high = middle
                    else:
                        low = middle + 1
                cells[token, layer * top_k + choice] = layer * experts + order[layer, low]
                place = low + 1

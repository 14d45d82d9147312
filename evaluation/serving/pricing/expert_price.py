"""Experts of all layers of a step: tokens and seconds of every rank, slowest and mean."""

import numpy as np
from numpy.typing import NDArray

from hardware import Operators
from lb.kernel import kernel

Array = NDArray[np.float64]


def coefficients(operators: Operators) -> Array:
    """Return what an expert costs by token, as :meth:`hardware.Operators.experts_s` has it.

    Returns
    -------
    ndarray
        [6] seconds of memory traffic of the weights, of one token's activations, seconds of one
        full tile, its tokens, both launches, and what a slot costs beside its work.

    Raises
    ------
    ValueError
        If the operators interpolate measurements.
    """
    if operators.source != "roofline":
        raise ValueError(
            f"operators.source = {operators.source!r}; steps are priced from rooflines, give "
            "source = 'roofline'"
        )
    # Memory traffic is linear from one token on: two points give weights and slope.
    one, two = operators.expert_memory_s([1.0, 2.0])
    kernels = operators.device.kernels
    tile = float(operators.expert_compute_s(1.0))
    fixed = (2 * kernels.grouped_launch_s, kernels.resident_expert_s)
    return np.array([2 * one - two, two - one, tile, kernels.tile_tokens, *fixed])


@kernel
def expert_seconds(
    counts: NDArray[np.int32],
    scale: float,
    slots: NDArray[np.uint64],
    share: Array,
    price: Array,
    seconds: Array,
    rank_tokens: Array,
    tokens: Array,
) -> None:
    """Fill [layers, ranks] ``seconds`` and ``rank_tokens``, and their [2, layers] peak and mean.

    Parameters
    ----------
    counts, scale
        [layers, experts] token copies, each of which counts ``scale`` times.
    slots, share
        [layers, slots] experts, unsigned so that none is looked for from the end; their shares.
    price
        From :func:`coefficients`.
    seconds, rank_tokens, tokens
        To be filled; ``tokens`` has the fullest rank's, then the mean rank's.
    """
    layers, ranks = seconds.shape
    held = slots.shape[1] // ranks
    tile = price[3]
    fixed = price[4] + held * price[5]
    for layer in range(layers):
        row = counts[layer]
        fullest = 0.0
        whole = 0.0
        slot = 0
        for rank in range(ranks):
            touched = 0.0
            tiles = 0.0
            taken = 0.0
            for _ in range(held):
                count = row[slots[layer, slot]] * (scale * share[layer, slot])
                # Even splits give fractions of a token. Below one token an expert counts in part,
                # so that the price has no jump where a share gets small.
                part = min(count, 1.0)
                touched += part
                tiles += np.ceil(count / tile) * part
                taken += count
                slot += 1
            # Compute rounds up to whole tiles; memory reads each touched expert's weights once.
            # Their overlap is the root of the sum of squares, as in Operators.experts_s.
            memory = touched * price[0] + taken * price[1]
            compute = tiles * price[2]
            busy = np.sqrt(memory * memory + compute * compute)
            seconds[layer, rank] = fixed + busy if taken > 0.0 else 0.0
            rank_tokens[layer, rank] = taken
            fullest = max(fullest, taken)
            whole += taken
        tokens[0, layer] = fullest
        tokens[1, layer] = whole / ranks

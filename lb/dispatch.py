"""Dispatchers: how the tokens of an expert are split over its replicas, each step."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.placement import Placement


def even(placement: Placement, load: ArrayLike) -> NDArray[np.float64]:
    """Split every expert's tokens evenly over its replicas, whatever the load.

    Returns
    -------
    ndarray
        [layers, slots] 1 / replicas of the slot's expert.
    """
    return placement.even_share


def check_share(placement: Placement, share: ArrayLike) -> NDArray[np.float64]:
    """Return ``share`` [layers, slots] if it loses no token and invents none.

    Raises
    ------
    ValueError
        If the shape is not the placement's, a share is negative or not finite, or the shares of
        an expert's replicas do not add up to 1 within 1e-9.
    """
    if share is placement.even_share:
        return placement.even_share
    split = np.asarray(share, dtype=np.float64)
    if split.shape != placement.physical_to_logical.shape:
        raise ValueError(
            f"share has shape {split.shape}; give [{placement.num_layers} layers, "
            f"{placement.num_slots} slots]"
        )
    if not (split >= 0).all() or not np.isfinite(split).all():
        layer, slot = np.argwhere(~((split >= 0) & np.isfinite(split)))[0]
        raise ValueError(
            f"share at layer {layer}, slot {slot} is {split[layer, slot]}; it must be in [0, 1]"
        )
    rows = np.arange(placement.num_layers)[:, None] * placement.num_experts
    total = np.bincount((placement.physical_to_logical + rows).ravel(), weights=split.ravel())
    wrong = np.flatnonzero(np.abs(total - 1) > 1e-9)
    if wrong.size:
        layer, expert = divmod(int(wrong[0]), placement.num_experts)
        raise ValueError(
            f"the shares of expert {expert} in layer {layer} add up to {total[wrong[0]]}, not 1"
        )
    return split

"""Dispatchers split the tokens of an expert over its replicas in each step."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.dispatchers import DISPATCHERS
from lb.placement import Placement
from lb.protocols import Dispatcher


def even(placement: Placement, load: ArrayLike) -> NDArray[np.float64]:
    """Split every expert's tokens evenly over its replicas, whatever the load.

    Returns
    -------
    ndarray
        [layers, slots] 1 / replicas of the slot's expert.
    """
    return placement.even_share


even.promises = frozenset({"scale-invariant", "never-hotter-than-even"})  # type: ignore[attr-defined]


def configured(name: str, ranks_per_node: int | None, /, **params: Any) -> Dispatcher:
    """Return the registered dispatcher ``name``, with ``ranks_per_node`` if it takes it.

    Parameters
    ----------
    name
        A registered name (:func:`lb.available_dispatchers`).
    ranks_per_node
        Ranks of a node in the deployment; ``None``: one node.
    params
        Further parameters; ``ranks_per_node`` among them goes before the deployment's.

    Raises
    ------
    ValueError
        If the name or a parameter is unknown.
    """
    if "ranks_per_node" in DISPATCHERS.parameters(name):
        params.setdefault("ranks_per_node", ranks_per_node)
    return DISPATCHERS.make(name, **params)


def slot_share(
    placement: Placement, share: ArrayLike, sources: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the part of its expert's tokens that each slot takes, all source ranks together.

    Parameters
    ----------
    placement
        Where the replicas are.
    share
        [layers, slots], returned as it is; or [layers, ranks, slots], by source rank.
    sources
        [layers, ranks, experts] tokens by the rank they start on. ``None``: spread evenly over the
        ranks; so are the tokens of an expert that has none here.

    Returns
    -------
    ndarray
        [layers, slots]

    Raises
    ------
    ValueError
        If the sources have another shape.
    """
    split = np.asarray(share, dtype=np.float64)
    if split.ndim == 2:
        return split
    if sources is None:
        return np.asarray(split.mean(axis=1))
    tokens = np.asarray(sources, dtype=np.float64)
    wanted = (placement.num_layers, placement.num_ranks, placement.num_experts)
    if tokens.shape != wanted:
        raise ValueError(
            f"sources has shape {tokens.shape}; give [{wanted[0]} layers, {wanted[1]} ranks, "
            f"{wanted[2]} experts]"
        )
    total = tokens.sum(axis=1, keepdims=True)
    even_source = np.full_like(tokens, 1.0 / wanted[1])
    part = np.divide(tokens, total, out=even_source, where=total > 0)
    weight = np.take_along_axis(part, placement.physical_to_logical[:, None, :], axis=2)
    return np.asarray((weight * split).sum(axis=1))


def check_share(placement: Placement, share: ArrayLike) -> NDArray[np.float64]:
    """Return ``share`` if the shares of every expert add up to 1.

    Parameters
    ----------
    placement
        Where the replicas are.
    share
        [layers, slots], or [layers, ranks, slots] if it differs by the rank that tokens start on.

    Raises
    ------
    ValueError
        If the shape is not the placement's, a share is negative or not finite, or the shares of
        an expert's replicas do not add up to 1 within 1e-9, for every source.
    """
    # The even share is right by construction, and this runs in every step.
    if share is placement.even_share:
        return placement.even_share
    split = np.asarray(share, dtype=np.float64)
    if split.ndim == 3:
        return _check_source_share(placement, split)
    if split.shape != placement.physical_to_logical.shape:
        raise ValueError(
            f"share has shape {split.shape}; give [{placement.num_layers} layers, "
            f"{placement.num_slots} slots], or [layers, ranks, slots] by source rank"
        )
    if not (split >= 0).all() or not np.isfinite(split).all():
        layer, slot = np.argwhere(~((split >= 0) & np.isfinite(split)))[0]
        raise ValueError(
            f"share at layer {layer}, slot {slot} is {split[layer, slot]}; it must be in [0, 1]"
        )
    # Cells of layer and expert, so that one bincount adds up all layers.
    rows = np.arange(placement.num_layers)[:, None] * placement.num_experts
    total = np.bincount((placement.physical_to_logical + rows).ravel(), weights=split.ravel())
    wrong = np.flatnonzero(np.abs(total - 1) > 1e-9)
    if wrong.size:
        layer, expert = divmod(int(wrong[0]), placement.num_experts)
        raise ValueError(
            f"the shares of expert {expert} in layer {layer} add up to {total[wrong[0]]}, not 1"
        )
    return split


def _check_source_share(placement: Placement, split: NDArray[np.float64]) -> NDArray[np.float64]:
    layers, ranks = placement.num_layers, placement.num_ranks
    if split.shape != (layers, ranks, placement.num_slots):
        raise ValueError(
            f"share has shape {split.shape}; give [{layers} layers, {ranks} ranks, "
            f"{placement.num_slots} slots]"
        )
    if not split.min() >= 0 or not np.isfinite(split.max()):
        layer, rank, slot = np.argwhere(~((split >= 0) & np.isfinite(split)))[0]
        raise ValueError(
            f"share at layer {layer}, source rank {rank}, slot {slot} is "
            f"{split[layer, rank, slot]}; it must be in [0, 1]"
        )
    # Layer by layer: the cells of all layers at once would take as much memory as the share.
    for layer, slots in enumerate(placement.physical_to_logical):
        cells = slots + np.arange(ranks)[:, None] * placement.num_experts
        total = np.bincount(cells.ravel(), weights=split[layer].ravel())
        wrong = np.flatnonzero(np.abs(total - 1) > 1e-9)
        if wrong.size:
            rank, expert = divmod(int(wrong[0]), placement.num_experts)
            raise ValueError(
                f"the shares of expert {expert} in layer {layer} add up to {total[wrong[0]]} for "
                f"source rank {rank}, not 1"
            )
    return split

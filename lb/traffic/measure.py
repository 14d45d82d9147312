"""Number of token copies that cross between nodes, for a placement and a dispatcher."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts, checked_integer
from lb.dispatch import check_share
from lb.dispatchers.rotate import rotation_slots
from lb.placement import Placement

#: Tokens counted at a time: little memory, and far below 2 ** 24, where float32 stops counting.
CHUNK = 2**16


def cross_node_tokens(
    placement: Placement,
    source_load: ArrayLike,
    ranks_per_node: int,
    share: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Count token copies that leave the node they start on, every choice being sent by itself.

    Parameters
    ----------
    placement
        Where the replicas are.
    source_load
        [layers, ranks, experts] tokens by the rank they start on.
    ranks_per_node
        Ranks that share a node; divides the ranks.
    share
        [layers, slots] or [layers, ranks, slots] from a dispatcher; ``None`` splits evenly.

    Returns
    -------
    ndarray
        [layers] token copies.

    Raises
    ------
    ValueError
        If a shape is not the placement's, or ``ranks_per_node`` does not divide the ranks.
    """
    tokens = checked_amounts(source_load, "source_load", ("layers", "ranks", "experts"))
    wanted = (placement.num_layers, placement.num_ranks, placement.num_experts)
    if tokens.shape != wanted:
        raise ValueError(
            f"source_load has shape {tokens.shape}; give [{wanted[0]} layers, {wanted[1]} ranks, "
            f"{wanted[2]} experts]"
        )
    node = _nodes(placement, ranks_per_node)
    split = placement.even_share if share is None else check_share(placement, share)
    by_source = split if split.ndim == 3 else split[:, None, :]
    to_slot = np.take_along_axis(tokens, placement.physical_to_logical[:, None, :], axis=2)
    # [source ranks, slots]: whether the slot is on another node than the source.
    crosses = node[:, None] != np.repeat(node, placement.slots_per_rank)
    return np.asarray((to_slot * by_source * crosses).sum(axis=(1, 2)))


def node_copies(
    topk_ids: ArrayLike,
    placement: Placement,
    ranks_per_node: int,
    source_rank: ArrayLike | None = None,
) -> NDArray[np.int64]:
    """Count hidden states sent between nodes when a node gets one for all of a token's experts.

    So DeepEP (github.com/deepseek-ai/DeepEP) dispatches: a token goes to a node once, however many
    of its experts are there. Replicas rotate by the token's position, as in
    :func:`lb.dispatchers.rotate.rotation_slots`.

    Parameters
    ----------
    topk_ids
        [tokens, layers, k] experts that each token chose.
    placement
        Where the replicas are.
    ranks_per_node
        Ranks that share a node; divides the ranks.
    source_rank
        [tokens] rank that each token starts on. ``None``: every node that has one of a token's
        experts is counted, as if tokens came from elsewhere.

    Returns
    -------
    ndarray
        [layers] hidden states.

    Raises
    ------
    ValueError
        If an id or a rank is out of range, a shape differs, or ``ranks_per_node`` does not divide
        the ranks.
    """
    node = _nodes(placement, ranks_per_node)
    slots = rotation_slots(topk_ids, placement)
    nodes = np.repeat(node, placement.slots_per_rank)[slots]
    reached = np.zeros((*nodes.shape[:2], int(node[-1]) + 1), dtype=bool)
    np.put_along_axis(reached, nodes, True, axis=2)
    if source_rank is not None:
        source = np.asarray(source_rank)
        if source.shape != (len(nodes),) or source.dtype.kind not in "iu":
            raise ValueError(
                f"source_rank has shape {source.shape} and dtype {source.dtype}; give {len(nodes)} "
                "integers, one a token"
            )
        if source.size and not 0 <= source.min() <= source.max() < placement.num_ranks:
            raise ValueError(
                f"source_rank runs from {source.min()} to {source.max()}, outside 0 <= rank < "
                f"{placement.num_ranks} ranks"
            )
        # A copy that stays on the node of its token is not sent.
        reached[np.arange(len(nodes)), :, node[source]] = False
    return np.asarray(reached.sum(axis=(0, 2)))


def coactivation(topk_ids: ArrayLike, num_experts: int) -> NDArray[np.float64]:
    """Count the tokens that chose both of two experts, as :class:`lb.Problem` takes them.

    Parameters
    ----------
    topk_ids
        [tokens, layers, k] experts that each token chose, none twice.
    num_experts
        Logical experts of one layer.

    Returns
    -------
    ndarray
        [layers, experts, experts] tokens, symmetric; the tokens of one expert on the diagonal.

    Raises
    ------
    ValueError
        If the ids are not integers in range.
    """
    experts = checked_integer(num_experts, "num_experts", at_least=1)
    ids = np.asarray(topk_ids)
    if ids.ndim != 3 or ids.dtype.kind not in "iu":
        raise ValueError(
            f"topk_ids has shape {ids.shape} and dtype {ids.dtype}; give integers "
            "[tokens, layers, k]"
        )
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < experts:
        worst = ids.min() if ids.min() < 0 else ids.max()
        raise ValueError(f"topk_ids names expert {worst}, outside 0 <= id < {experts} experts")
    counts = np.zeros((ids.shape[1], experts, experts))
    for start in range(0, len(ids), CHUNK):
        for layer, chosen in enumerate(ids[start : start + CHUNK].swapaxes(0, 1)):
            one_hot = np.zeros((len(chosen), experts), dtype=np.float32)
            np.put_along_axis(one_hot, chosen.astype(np.int64), 1.0, axis=1)
            counts[layer] += one_hot.T @ one_hot
    return counts


def _nodes(placement: Placement, ranks_per_node: int) -> NDArray[np.int64]:
    """[ranks] node of each rank."""
    width = checked_integer(ranks_per_node, "ranks_per_node", at_least=1)
    if placement.num_ranks % width:
        raise ValueError(
            f"ranks_per_node = {width} does not divide {placement.num_ranks} ranks "
            f"({placement.num_ranks % width} left over); give a divisor"
        )
    return np.arange(placement.num_ranks) // width

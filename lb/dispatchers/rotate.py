"""Positional rotation over replicas as in xDeepServe: even over positions, not over tokens."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_amounts, checked_integer
from lb.placement import Placement

#: From here on float64 cannot count single tokens, and the draw is even to 1e-7 anyway.
WHOLE_TOKENS = 2.0**53


@dataclass(frozen=True)
class Rotate:
    """Draw how many of an expert's tokens each replica gets when the replica rotates by position.

    xDeepServe (arXiv:2508.02520, section 4.5) looks the replica up in a table: its index is the
    token's position in the batch modulo the copies. That is even over positions, not over those
    tokens that chose the expert. They sit at positions that the router did not look at, so the
    tokens of c replicas are multinomial(n, 1 / c), which is what is drawn, exactly. It is an
    approximation of ours in two respects: positions of one batch do not repeat, which makes the
    true spread smaller by the factor 1 - (tokens of the expert / tokens of the batch); and a batch
    whose size is no multiple of the copies favours the first ones. :func:`rotation_counts`
    applies the table itself where the tokens are known.

    The draw is a pure function of seed and load: the generator starts from the SHA-256 of the
    load as little-endian float64 and the seed. A load that is no whole number is drawn as the next
    larger whole number of tokens, and the shares apply to the load as it is. From 2 ** 53 tokens on
    the split is even.

    Parameters
    ----------
    seed
        Equal seeds give equal shares for equal loads.
    """

    seed: int = 0

    def __call__(self, placement: Placement, load: ArrayLike) -> NDArray[np.float64]:
        """Return drawn shares.

        Parameters
        ----------
        placement
            Where the replicas are.
        load
            [layers, experts] tokens of this step.

        Returns
        -------
        ndarray
            [layers, slots] share of its expert's tokens that each slot takes; even where an
            expert has no tokens.

        Raises
        ------
        ValueError
            If the seed is no integer >= 0, the load has another shape, or a number is negative or
            not finite.
        """
        seed = checked_integer(self.seed, "seed", at_least=0)
        tokens = checked_amounts(load, "load", ("layers", "experts"))
        if tokens.shape != placement.replica_count.shape:
            raise ValueError(
                f"load has shape {tokens.shape}; give [{placement.num_layers} layers, "
                f"{placement.num_experts} experts]"
            )
        share: NDArray[np.float64] = placement.even_share.copy()
        # A single replica takes all: nothing is drawn for it.
        drawn = (placement.replica_count > 1) & (tokens > 0) & (tokens < WHOLE_TOKENS)
        layer, expert = np.nonzero(drawn)
        if not layer.size:
            return share
        total = np.ceil(tokens[layer, expert])
        copies = placement.replica_count[layer, expert]
        counts = _multinomial(total.astype(np.int64), copies, _generator(seed, tokens))
        slots = placement.logical_to_physical[layer, expert]
        pair, copy = np.nonzero(slots >= 0)
        share[layer[pair], slots[pair, copy]] = counts[pair, copy] / total[pair]
        return share


def _generator(seed: int, tokens: NDArray[np.float64]) -> np.random.Generator:
    # The generator depends on the load, so that calls need no memory and their order does not
    # matter.
    digest = hashlib.sha256(tokens.astype("<f8", copy=False).data).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, dtype="<u4").tolist()])


def _multinomial(
    total: NDArray[np.int64], copies: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return [experts, most copies] tokens of each copy: one binomial after another."""
    counts = np.zeros((len(total), int(copies.max())), dtype=np.int64)
    left = total.copy()
    for copy in range(counts.shape[1]):
        more = np.flatnonzero(copies > copy)
        counts[more, copy] = generator.binomial(left[more], 1.0 / (copies[more] - copy))
        left[more] -= counts[more, copy]
    return counts


def rotation_counts(
    topk_ids: ArrayLike, placement: Placement, position: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Count the tokens of each slot under the table rule: replica = position modulo copies.

    Parameters
    ----------
    topk_ids
        [tokens, layers, k] experts that each token chose.
    placement
        Where the replicas are; those of an expert are numbered by slot.
    position
        [tokens] position of each token in the batch of its rank; ``None``: the tokens are one
        batch, in order.

    Returns
    -------
    ndarray
        [layers, slots] tokens.

    Raises
    ------
    ValueError
        If the ids or positions are not integers in range, or layers differ.
    """
    slots = rotation_slots(topk_ids, placement, position)
    rows = np.arange(placement.num_layers)[:, None] * placement.num_slots
    flat = np.bincount((slots + rows).ravel(), minlength=rows.size * placement.num_slots)
    return flat.reshape(rows.size, placement.num_slots)


def rotation_slots(
    topk_ids: ArrayLike, placement: Placement, position: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Return [tokens, layers, k] the slot of every choice; arguments as `rotation_counts`."""
    ids = _checked_ids(topk_ids, placement)
    where = np.arange(len(ids)) if position is None else np.asarray(position)
    if where.shape != (len(ids),) or where.dtype.kind not in "iu" or (where < 0).any():
        raise ValueError(
            f"position has shape {where.shape} and dtype {where.dtype}; give {len(ids)} integers "
            ">= 0, one a token"
        )
    layers = np.arange(placement.num_layers)[None, :, None]
    copies = placement.replica_count[layers, ids]
    slots: NDArray[np.int64] = placement.logical_to_physical[
        layers, ids, where.astype(np.int64)[:, None, None] % copies
    ]
    return slots


def _checked_ids(topk_ids: ArrayLike, placement: Placement) -> NDArray[np.int64]:
    ids = np.asarray(topk_ids)
    if ids.ndim != 3 or ids.shape[1] != placement.num_layers or ids.dtype.kind not in "iu":
        raise ValueError(
            f"topk_ids has shape {ids.shape} and dtype {ids.dtype}; give integers [tokens, "
            f"{placement.num_layers} layers, k]"
        )
    if ids.size and (ids.min() < 0 or ids.max() >= placement.num_experts):
        worst = ids.min() if ids.min() < 0 else ids.max()
        raise ValueError(
            f"topk_ids names expert {worst}, outside 0 <= id < {placement.num_experts} experts"
        )
    return ids.astype(np.int64)

"""A placement: the logical expert in each slot of each rank, for every layer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_integer
from lb.infeasible import Infeasible
from lb.kernel import kernel
from lb.read_only import read_only


@dataclass(frozen=True, eq=False, repr=False)
class Placement:
    """An immutable answer to a :class:`~lb.problem.Problem`.

    Rank ``r`` owns the slots ``r * slots_per_rank`` up to ``(r + 1) * slots_per_rank``.

    Parameters
    ----------
    physical_to_logical
        [layers, slots] logical expert in each slot, 0 up to experts - 1. Every expert must be
        present in every layer, since the tokens of a missing one would have nowhere to go.
    num_ranks
        Ranks of the EP group; divides the number of slots.

    Raises
    ------
    Infeasible
        A ValueError, if the map is not a rectangular integer array, a rank would own a fraction of
        a slot, an id is negative, or a layer lacks an expert.

    Examples
    --------
    >>> placement = Placement([[0, 1, 1, 2]], num_ranks=2)
    >>> placement.rank_load([[4, 6, 1]])
    array([[7., 4.]])
    >>> placement.balancedness([[4, 6, 1]]).round(3)
    array([0.786])
    """

    physical_to_logical: NDArray[np.int64]
    num_ranks: int

    def __post_init__(self) -> None:
        try:
            self._check()
        except ValueError as error:
            raise Infeasible(str(error)) from None

    def _check(self) -> None:
        num_ranks = checked_integer(self.num_ranks, "num_ranks", at_least=1)
        table = _slot_table(self.physical_to_logical, num_ranks)
        object.__setattr__(self, "physical_to_logical", table)
        object.__setattr__(self, "num_ranks", num_ranks)
        if self.replica_count.min() == 0:
            layer, expert = np.argwhere(self.replica_count == 0)[0]
            raise ValueError(
                f"layer {layer} places no copy of expert {expert} (ids run to "
                f"{self.num_experts - 1}); every expert needs a slot in every layer"
            )

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.physical_to_logical.shape[0]

    @property
    def num_slots(self) -> int:
        """Slots (physical experts) of one layer, over all ranks."""
        return self.physical_to_logical.shape[1]

    @property
    def slots_per_rank(self) -> int:
        """Slots of one layer on one rank."""
        return self.num_slots // self.num_ranks

    @cached_property
    def num_experts(self) -> int:
        """Logical experts of one layer."""
        return int(self.physical_to_logical.max()) + 1

    @cached_property
    def replica_count(self) -> NDArray[np.int64]:
        """[layers, experts] copies of each expert; 1 is no redundancy."""
        count = np.zeros((self.num_layers, self.num_experts), dtype=np.int64)
        _count_replicas(self.physical_to_logical, count)
        return _frozen(count)

    @cached_property
    def logical_to_physical(self) -> NDArray[np.int64]:
        """[layers, experts, max_replicas] slots of each expert, ascending, padded with -1."""
        shape = (self.num_layers, self.num_experts, int(self.replica_count.max()))
        slots = np.full(shape, -1, dtype=np.int64)
        # Step 1: sort the slots by expert; a stable sort keeps the slots of one expert ascending.
        order = np.argsort(self.physical_to_logical, axis=1, kind="stable")
        expert = np.take_along_axis(self.physical_to_logical, order, axis=1)
        # Step 2: number the copies of each expert from 0 on.
        first = np.cumsum(self.replica_count, axis=1) - self.replica_count
        copy = np.arange(self.num_slots) - np.take_along_axis(first, expert, axis=1)
        slots[np.arange(self.num_layers)[:, None], expert, copy] = order
        return _frozen(slots)

    @cached_property
    def even_share(self) -> NDArray[np.float64]:
        """[layers, slots] share of its expert's tokens in each slot, split evenly over replicas."""
        replicas = np.take_along_axis(self.replica_count, self.physical_to_logical, axis=1)
        return _frozen(1.0 / replicas)

    @cached_property
    def duplicate_count(self) -> NDArray[np.int64]:
        """[layers] slots wasted on an expert that its rank already holds."""
        by_rank = self.physical_to_logical.reshape(self.num_layers, self.num_ranks, -1)
        sorted_ids = np.sort(by_rank, axis=2)
        return _frozen((sorted_ids[:, :, 1:] == sorted_ids[:, :, :-1]).sum(axis=(1, 2)))

    def rank_load(self, load: ArrayLike, share: ArrayLike | None = None) -> NDArray[np.float64]:
        """Tokens that each rank computes.

        Parameters
        ----------
        load
            [..., layers, experts] tokens of each expert; leading axes (steps, windows) are kept.
        share
            [layers, slots] share of its expert's tokens that each slot takes; ``None`` splits
            evenly over the replicas. [layers, ranks, slots] is by source rank, the tokens being
            spread evenly over the sources; for other sources see :func:`lb.dispatch.slot_share`.

        Returns
        -------
        ndarray
            [..., layers, ranks] tokens.

        Raises
        ------
        ValueError
            If the load has other layers or experts than this placement, or the share other slots.
        """
        tokens = np.ascontiguousarray(load, dtype=np.float64)
        expected = (self.num_layers, self.num_experts)
        if tokens.shape[-2:] != expected:
            raise ValueError(
                f"load has shape {tokens.shape}; this placement needs "
                f"[..., {expected[0]} layers, {expected[1]} experts]"
            )
        split = self.even_share if share is None else np.ascontiguousarray(share, dtype=np.float64)
        if split.ndim == 3 and split.shape[1] == self.num_ranks:
            split = split.mean(axis=1)
        if split.shape != self.physical_to_logical.shape:
            raise ValueError(
                f"share has shape {split.shape}; this placement needs "
                f"[{self.num_layers} layers, {self.num_slots} slots]"
            )
        result = np.zeros((*tokens.shape[:-1], self.num_ranks))
        _add_rank_load(
            read_only(tokens.reshape(-1, *expected)),
            self.physical_to_logical,
            read_only(split),
            result.reshape(-1, self.num_layers, self.num_ranks),
        )
        return result

    def balancedness(self, load: ArrayLike, share: ArrayLike | None = None) -> NDArray[np.float64]:
        """Mean over maximum rank load, per layer: 1 is perfect, 1 / ranks the worst.

        A layer without load is balanced (1). Parameters and errors as in :meth:`rank_load`.

        Returns
        -------
        ndarray
            [..., layers] in (0, 1].
        """
        rank_load = self.rank_load(load, share)
        peak = rank_load.max(axis=-1)
        # equal loads may average to one rounding step above themselves
        mean = np.minimum(rank_load.mean(axis=-1), peak)
        return np.divide(mean, peak, out=np.ones_like(peak), where=peak > 0)

    def moves_from(self, before: "Placement") -> NDArray[np.int64]:
        """Expert weights that each rank must receive to get here from ``before``.

        A rank that already holds an expert receives nothing for it, in whichever slot.

        Returns
        -------
        ndarray
            [layers, ranks] experts.

        Raises
        ------
        ValueError
            If the placements differ in layers or ranks.
        """
        if (before.num_layers, before.num_ranks) != (self.num_layers, self.num_ranks):
            raise ValueError(
                f"cannot move from {before!r} to {self!r}: layers and ranks must be the same"
            )
        moves = np.zeros((self.num_layers, self.num_ranks), dtype=np.int64)
        _count_moves(before.physical_to_logical, self.physical_to_logical, moves)
        return moves

    def __repr__(self) -> str:
        return (
            f"Placement({self.num_layers} layers, {self.num_experts} experts in "
            f"{self.num_slots} slots on {self.num_ranks} ranks)"
        )

    def __reduce__(self) -> tuple[Callable[..., "Placement"], tuple[Any, ...]]:
        # numpy forgets the read-only flag when it pickles; the constructor sets it again
        return Placement, (self.physical_to_logical, self.num_ranks)


def _slot_table(values: ArrayLike, num_ranks: int) -> NDArray[np.int64]:
    """Return a read-only int64 copy [layers, slots] of a slot map; coverage is checked later."""
    try:
        raw = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"physical_to_logical is ragged: {error}") from None
    if raw.ndim != 2 or raw.size == 0 or raw.dtype.kind not in "iu":
        raise ValueError(
            f"physical_to_logical has shape {raw.shape} and dtype {raw.dtype}; "
            "give integers [layers, slots]"
        )
    if raw.shape[1] % num_ranks:
        raise ValueError(
            f"{raw.shape[1]} slots over {num_ranks} ranks leaves {raw.shape[1] % num_ranks} over; "
            "every rank owns the same number of slots"
        )
    table = np.array(raw, dtype=np.int64, order="C")
    lowest, highest = table.min(), table.max()
    if lowest < 0 or highest >= raw.shape[1]:
        worst = lowest if lowest < 0 else highest
        layer, slot = np.argwhere(table == worst)[0]
        raise ValueError(
            f"physical_to_logical at layer {layer}, slot {slot} is {worst}; expert ids run from 0 "
            f"and every expert has a slot, so 0 <= id < {raw.shape[1]} slots"
        )
    return _frozen(table)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


@kernel
def _count_replicas(physical_to_logical: NDArray[np.int64], count: NDArray[np.int64]) -> None:
    layers, slots = physical_to_logical.shape
    for layer in range(layers):
        for slot in range(slots):
            count[layer, physical_to_logical[layer, slot]] += 1


@kernel
def _add_rank_load(
    load: NDArray[np.float64],
    physical_to_logical: NDArray[np.int64],
    share: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    steps, layers, ranks = result.shape
    slots_per_rank = physical_to_logical.shape[1] // ranks
    for step in range(steps):
        for layer in range(layers):
            for rank in range(ranks):
                total = 0.0
                for slot in range(rank * slots_per_rank, (rank + 1) * slots_per_rank):
                    total += (
                        load[step, layer, physical_to_logical[layer, slot]] * share[layer, slot]
                    )
                result[step, layer, rank] = total


@kernel
def _count_moves(
    before: NDArray[np.int64], after: NDArray[np.int64], moves: NDArray[np.int64]
) -> None:
    layers, ranks = moves.shape
    width_before = before.shape[1] // ranks
    width_after = after.shape[1] // ranks
    for layer in range(layers):
        for rank in range(ranks):
            held = before[layer, rank * width_before : (rank + 1) * width_before]
            wanted = after[layer, rank * width_after : (rank + 1) * width_after]
            for i in range(width_after):
                # Neither on the rank before, nor in an earlier slot of the new placement.
                received = True
                for expert in held:
                    received &= expert != wanted[i]
                for expert in wanted[:i]:
                    received &= expert != wanted[i]
                moves[layer, rank] += received

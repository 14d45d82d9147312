"""Replicas that are near go first: on the token's own rank, else its node, else anywhere."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.checked import checked_integer
from lb.kernel import kernel
from lb.placement import Placement


@dataclass(frozen=True)
class LocalFirst:
    """Let every rank send its tokens to the replica on itself, else on its node, else to all.

    Evenly wherever several are equally near. Engines do so to keep tokens off the slow network
    (SGLang's static dispatch prefers a replica on the same GPU, then on the same node); the price
    is that load cannot flow to where there is room. The split depends on where tokens start and
    not on the load.

    Parameters
    ----------
    ranks_per_node
        Ranks that share a node; divides the placement's ranks. ``None``: one node.
    """

    ranks_per_node: int | None = None
    promises: ClassVar[frozenset[str]] = frozenset({"scale-invariant"})

    def __call__(self, placement: Placement, load: ArrayLike) -> NDArray[np.float64]:
        """Return the shares of every source rank.

        Returns
        -------
        ndarray
            [layers, ranks, slots] share of the tokens of that source rank and of the slot's expert
            which the slot takes.

        Raises
        ------
        ValueError
            If ``ranks_per_node`` is no integer >= 1 that divides the ranks.
        """
        ranks = placement.num_ranks
        width = ranks
        if self.ranks_per_node is not None:
            width = checked_integer(self.ranks_per_node, "ranks_per_node", at_least=1)
        if ranks % width:
            raise ValueError(
                f"ranks_per_node = {width} does not divide {ranks} ranks ({ranks % width} left "
                f"over); give a divisor of {ranks}"
            )
        share = np.zeros((placement.num_layers, ranks, placement.num_slots))
        _share_layers(placement.logical_to_physical, placement.slots_per_rank, width, share)
        return share


@kernel
def _share_layers(
    slots: NDArray[np.int64], slots_per_rank: int, ranks_per_node: int, share: NDArray[np.float64]
) -> None:
    layers, experts, most = slots.shape
    for layer in range(layers):
        for expert in range(experts):
            copies = 0
            while copies < most and slots[layer, expert, copies] >= 0:
                copies += 1
            held = slots[layer, expert, :copies]
            for source in range(share.shape[1]):
                near = nearest(held // slots_per_rank, source, ranks_per_node)
                serving = 0
                for slot in held:
                    serving += farness(slot // slots_per_rank, source, ranks_per_node) == near
                for slot in held:
                    if farness(slot // slots_per_rank, source, ranks_per_node) == near:
                        share[layer, source, slot] = 1.0 / serving


@kernel
def nearest(ranks: NDArray[np.int64], source: int, ranks_per_node: int) -> int:
    """Return the least :func:`farness` of a replica on one of ``ranks``."""
    near = 2
    for rank in ranks:
        near = min(near, farness(rank, source, ranks_per_node))
    return near


@kernel
def farness(rank: int, source: int, ranks_per_node: int) -> int:
    """Return 0 on the same rank, 1 on the same node, 2 elsewhere."""
    if rank == source:
        return 0
    return 1 if rank // ranks_per_node == source // ranks_per_node else 2

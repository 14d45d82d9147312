"""Dispatcher that prefers near replicas: on the token's own rank, then its node, then any."""

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
    is that load cannot flow to less loaded ranks. The split depends on where tokens start and
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
        far = farness(ranks, width)
        _share_layers(placement.logical_to_physical, placement.slots_per_rank, far, share)
        return share


def farness(num_ranks: int, ranks_per_node: int) -> NDArray[np.int64]:
    """Return [source, rank] 0 on the same rank, 1 on the same node, 2 elsewhere."""
    node = np.arange(num_ranks) // ranks_per_node
    far = np.where(node[:, None] == node, 1, 2)
    np.fill_diagonal(far, 0)
    return far


@kernel
def _share_layers(
    slots: NDArray[np.int64],
    slots_per_rank: int,
    far: NDArray[np.int64],
    share: NDArray[np.float64],
) -> None:
    layers, experts, most = slots.shape
    held = np.empty(most, dtype=np.int64)  # ranks of one expert's replicas
    for layer in range(layers):
        for expert in range(experts):
            copies = 0
            while copies < most and slots[layer, expert, copies] >= 0:
                held[copies] = slots[layer, expert, copies] // slots_per_rank
                copies += 1
            # A single replica serves every source.
            if copies == 1:
                share[layer, :, slots[layer, expert, 0]] = 1.0
                continue
            for source in range(share.shape[1]):
                near, serving = nearest(held, copies, far[source])
                for copy in range(copies):
                    if far[source, held[copy]] == near:
                        share[layer, source, slots[layer, expert, copy]] = 1.0 / serving


@kernel
def nearest(held: NDArray[np.int64], copies: int, far: NDArray[np.int64]) -> tuple[int, int]:
    """Return the least ``far`` [ranks] of the first ``copies`` ranks, and how many have it."""
    near, serving = 3, 0
    for copy in range(copies):
        if far[held[copy]] < near:
            near, serving = far[held[copy]], 0
        serving += far[held[copy]] == near
    return near, serving

"""Links and switches of a fabric, numbered so that a fault can name one by its index."""

from collections.abc import Hashable
from functools import lru_cache
from typing import NamedTuple

from hardware import Fabric

Cable = tuple[Hashable, Hashable]

#: Kinds of graph nodes that are not switches; see ``hardware.topologies``. Nor are ranks.
ENDPOINTS = ("die", "gpu", "cpu")


class FabricParts(NamedTuple):
    """Parts of a fabric.

    Parameters
    ----------
    links
        One entry for both directions of a link.
    switches
        Nodes of the fabric's graph.
    """

    links: tuple[Cable, ...] = ()
    switches: tuple[Hashable, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any part."""
        return bool(self.links or self.switches)


@lru_cache(maxsize=64)
def cables(fabric: Fabric) -> tuple[Cable, ...]:
    """Return the links of a fabric in its order, one entry for both directions."""
    by_ends = {frozenset(link): link for link in reversed(fabric.links)}
    return tuple(reversed(by_ends.values()))


@lru_cache(maxsize=64)
def switches(fabric: Fabric) -> tuple[Hashable, ...]:
    """Return the switches of a fabric: nodes that are no rank and no die, GPU or CPU."""
    ranks = set(fabric.ranks)
    kinds = fabric.graph.nodes(data="kind")
    return tuple(node for node, kind in kinds if node not in ranks and kind not in ENDPOINTS)

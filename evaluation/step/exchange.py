"""Where dispatch and combine are held up: the ranks that pull, or the links that they share."""

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware import Collectives, Fabric

Array = NDArray[np.float64]
#: Links whose busy seconds differ by less than this fraction are named once.
ALIKE = 1e-9


class BusyLink(NamedTuple):
    """A link, the seconds a step that it is busy, and how many others are just as busy."""

    link: tuple[Hashable, Hashable]
    busy_s: float
    others: int


@dataclass(frozen=True)
class Exchange:
    """Dispatch or combine under one placement, as the mean over steps, over all layers.

    Parameters
    ----------
    name
        "dispatch" or "combine".
    link_busy_s
        [links of the fabric] seconds that each link is busy in a step; layers add up.
    links_decide
        Fraction of steps and layers in which the fullest link decides, not the rate at which ranks
        pull.
    contention_s
        Seconds of a step by which the fullest links are slower than what the ranks pull.
    """

    name: str
    link_busy_s: Array
    links_decide: float
    contention_s: float

    def busiest(self, fabric: Fabric, top: int) -> list[BusyLink]:
        """Return the ``top`` fullest links; of those alike (seven equal planes) one is named."""
        order = np.argsort(-self.link_busy_s, kind="stable")
        found: list[BusyLink] = []
        for link, seconds in zip(order.tolist(), self.link_busy_s[order].tolist(), strict=True):
            if seconds <= 0:
                break
            if found and found[-1].busy_s - seconds <= ALIKE * seconds:
                found[-1] = found[-1]._replace(others=found[-1].others + 1)
            elif len(found) == top:
                break
            else:
                found.append(BusyLink(fabric.links[link], seconds, 0))
        return found


def exchange(collectives: Collectives, rank_tokens: Array, name: str) -> Exchange:
    """Say what holds up dispatch or combine when source tokens are spread evenly.

    Every rank then sends the same to a hot rank, so that pairs of ranks say no more than the rank
    that receives (dispatch) or sends (combine).

    Parameters
    ----------
    collectives
        On the fabric of the ranks.
    rank_tokens
        [steps, layers, ranks] token copies that each rank's experts compute.
    name
        "dispatch" or "combine".
    """
    fabric, ranks = collectives.fabric, rank_tokens.shape[-1]
    alone = dataclasses.replace(collectives, contention=False)
    if name == "dispatch":
        taken, pulled = collectives.dispatch_s(rank_tokens), alone.dispatch_s(rank_tokens)
        size = collectives.dispatch_bytes
    else:
        taken, pulled = collectives.combine_s(rank_tokens), alone.combine_s(rank_tokens)
        size = collectives.combine_bytes
    of_rank = rank_tokens.mean(axis=0).sum(axis=0) * size / ranks
    sent = np.broadcast_to(of_rank, (ranks, ranks))
    busy = fabric.link_bytes(sent if name == "dispatch" else sent.T) / fabric.link_rate
    slower = taken - pulled
    return Exchange(name, busy, float((slower > 0).mean()), float(slower.mean(axis=0).sum()))

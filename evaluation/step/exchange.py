"""The bottleneck of dispatch and combine: the ranks that pull, or the links that they share."""

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware import Collectives, Fabric

Array = NDArray[np.float64]
#: Links whose busy seconds differ by less than this fraction are listed once.
TIE_TOLERANCE = 1e-9


class BusyLink(NamedTuple):
    """A link, its busy seconds per step, and the number of other links that are equally busy."""

    link: tuple[Hashable, Hashable]
    busy_s: float
    others: int


@dataclass(frozen=True)
class Exchange:
    """Link load of dispatch or combine under one placement: mean over steps, sum over layers.

    Parameters
    ----------
    name
        "dispatch" or "combine".
    link_busy_s
        [links of the fabric] seconds that each link is busy in a step.
    links_decide
        Fraction of steps and layers in which the busiest link is the bottleneck, and not the rate
        at which ranks pull.
    contention_s
        Seconds per step by which the busiest links are slower than the ranks could pull.
    """

    name: str
    link_busy_s: Array
    links_decide: float
    contention_s: float

    def busiest(self, fabric: Fabric, top: int) -> list[BusyLink]:
        """Return the ``top`` busiest links; of equally busy ones, as of seven planes, only one."""
        order = np.argsort(-self.link_busy_s, kind="stable")
        links: list[BusyLink] = []
        for link, seconds in zip(order.tolist(), self.link_busy_s[order].tolist(), strict=True):
            if seconds <= 0:
                break
            if links and links[-1].busy_s - seconds <= TIE_TOLERANCE * seconds:
                links[-1] = links[-1]._replace(others=links[-1].others + 1)
            elif len(links) == top:
                break
            else:
                links.append(BusyLink(fabric.links[link], seconds, 0))
        return links


def exchange(
    collectives: Collectives, rank_tokens: Array, name: str, weight: Array | None = None
) -> Exchange:
    """Return the link load of dispatch or combine if source tokens are spread evenly.

    Every rank then sends the same amount to a given rank. The traffic of a pair of ranks depends
    only on the rank that receives (dispatch) or sends (combine).

    Parameters
    ----------
    collectives
        Collectives on the fabric of the ranks.
    rank_tokens
        [steps, layers, ranks] token copies that each rank's experts compute.
    name
        "dispatch" or "combine".
    weight
        [steps] weight of each step in the means; ``None``: equal ones.
    """
    fabric, ranks = collectives.fabric, rank_tokens.shape[-1]
    # Without contention every rank pulls at its full rate; the difference is due to shared links.
    uncontended = dataclasses.replace(collectives, contention=False)
    if name == "dispatch":
        total_s, pull_s = collectives.dispatch_s(rank_tokens), uncontended.dispatch_s(rank_tokens)
        copy_bytes = collectives.dispatch_bytes
    else:
        total_s, pull_s = collectives.combine_s(rank_tokens), uncontended.combine_s(rank_tokens)
        copy_bytes = collectives.combine_bytes
    # Bytes [source, target]: every source sends 1 / ranks of what a rank receives in dispatch.
    # Combine sends the same bytes back, so that its matrix is the transpose.
    pair_bytes = np.average(rank_tokens, axis=0, weights=weight).sum(axis=0) * copy_bytes / ranks
    sent = np.broadcast_to(pair_bytes, (ranks, ranks))
    busy_s = fabric.link_bytes(sent if name == "dispatch" else sent.T) / fabric.link_rate
    delay_s = total_s - pull_s
    decide = float(np.average(delay_s > 0, axis=0, weights=weight).mean())
    return Exchange(name, busy_s, decide, float(np.average(delay_s, axis=0, weights=weight).sum()))

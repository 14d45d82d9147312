"""Groups of nodes and links that are equal by symmetry, so that each group is routed once."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Symmetry:
    """Classes of equivalent nodes and groups of equivalent links; every rank is its own class.

    Every node of a class has equally many links of each group, so that evenly split flows to a
    rank load all links of a group alike.

    Parameters
    ----------
    rank_class
        [ranks] class of each rank, one of its own.
    class_size
        [classes] nodes in each.
    tail, head
        [groups] class that the links of a group leave and enter.
    degree
        [groups] links of the group at each node of its tail.
    bandwidth, latency
        [groups] bytes/s and seconds of each link.
    group_of_link
        [links] group of each link, in the order of the graph's edges.
    """

    rank_class: NDArray[np.int64]
    class_size: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    degree: NDArray[np.int64]
    bandwidth: NDArray[np.float64]
    latency: NDArray[np.float64]
    group_of_link: NDArray[np.int64]


def find_symmetry(graph: Any, ranks: Sequence[Hashable]) -> Symmetry:
    """Return the coarsest equitable partition that tells all ranks apart.

    By colour refinement (Weisfeiler and Leman, 1968): nodes keep one colour as long as their
    links, with bandwidth, latency and direction, lead to the same numbers of each colour.
    """
    # Ranks start with a colour each, since their traffic differs; all other nodes with one.
    colour = {node: 0 for node in graph}
    colour |= {rank: number for number, rank in enumerate(ranks, start=1)}
    count = len(set(colour.values()))
    # Colours only ever split: done as soon as their number stays.
    while True:
        colour = _refined(graph, colour)
        refined = len(set(colour.values()))
        if refined == count:
            break
        count = refined
    groups: dict[tuple[int, int, float, float], int] = {}
    members: dict[int, int] = defaultdict(int)
    group_of_link = []
    # Links between the same two classes, with the same figures, carry the same.
    for source, target, link in graph.edges(data=True):
        key = (colour[source], colour[target], link["bandwidth"], link["latency"])
        group_of_link.append(groups.setdefault(key, len(groups)))
        members[group_of_link[-1]] += 1
    class_size = np.bincount(list(colour.values()), minlength=count)
    tail = np.array([key[0] for key in groups], dtype=np.int64)
    return Symmetry(
        rank_class=np.array([colour[rank] for rank in ranks]),
        class_size=class_size,
        tail=tail,
        head=np.array([key[1] for key in groups], dtype=np.int64),
        degree=np.array([members[n] for n in range(len(groups))], dtype=np.int64)
        // class_size[tail],
        bandwidth=np.array([key[2] for key in groups], dtype=np.float64),
        latency=np.array([key[3] for key in groups], dtype=np.float64),
        group_of_link=np.array(group_of_link, dtype=np.int64),
    )


def _refined(graph: Any, colour: dict[Hashable, int]) -> dict[Hashable, int]:
    """Return colours, numbered from 0, that also tell the colours of the neighbours apart."""
    seen: dict[Hashable, list[tuple[bool, int, float, float]]] = {node: [] for node in graph}
    for source, target, link in graph.edges(data=True):
        figures = (link["bandwidth"], link["latency"])
        seen[source].append((True, colour[target], *figures))
        seen[target].append((False, colour[source], *figures))
    numbers: dict[Any, int] = {}
    refined = {}
    for node in graph:
        signature = (colour[node], tuple(sorted(seen[node])))
        refined[node] = numbers.setdefault(signature, len(numbers))
    return refined

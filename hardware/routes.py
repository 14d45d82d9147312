"""Equal-cost multipath routing: the share of each pair's bytes on each link."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.symmetry import Symmetry


def equal_cost_routes(
    fabric: str, ranks: Sequence[Hashable], symmetry: Symmetry
) -> tuple[Any, NDArray[np.float64]]:
    """Split every pair's unit of traffic evenly over its next hops, at every node again.

    Parameters
    ----------
    fabric
        Name for the error message.
    ranks
        [ranks] nodes of the graph that ranks run on, for the error message.
    symmetry
        Classes of nodes and groups of links of the graph.

    Returns
    -------
    share : scipy.sparse.csr_array
        [link groups, ranks * ranks] share of the bytes from source to destination (column
        ``source * ranks + destination``) on each link of the group.
    latency : ndarray
        [ranks, ranks] seconds along the slowest of the shortest paths.

    Raises
    ------
    ValueError
        Naming the pair, if one rank cannot reach another.
    """
    from scipy.sparse import coo_array

    num_ranks = len(ranks)
    hops = _hops(fabric, ranks, symmetry)
    latency = np.zeros((num_ranks, num_ranks))
    rows, columns, shares = [], [], []
    # One destination at a time: all ranks send a unit to it.
    for destination in range(num_ranks):
        share = _towards(symmetry, hops[destination])
        latency[:, destination] = _slowest(symmetry, hops[destination])[symmetry.rank_class]
        rows.append(share.col)
        columns.append(share.row * num_ranks + destination)
        shares.append(share.data)
    entries = (np.concatenate(shares), (np.concatenate(rows), np.concatenate(columns)))
    shape = (len(symmetry.tail), num_ranks**2)
    return coo_array(entries, shape=shape).tocsr(), latency


def _hops(fabric: str, ranks: Sequence[Hashable], symmetry: Symmetry) -> NDArray[np.float64]:
    """Return [ranks, classes] numbers of links from each class to each rank."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    classes = len(symmetry.class_size)
    ones = np.ones(len(symmetry.tail))
    # Against the links, so that one search from each destination finds the hops from everywhere.
    backward = coo_array((ones, (symmetry.head, symmetry.tail)), shape=(classes, classes)).tocsr()
    hops: NDArray[np.float64] = shortest_path(
        backward, unweighted=True, indices=symmetry.rank_class
    )
    cut = np.argwhere(np.isinf(hops[:, symmetry.rank_class]))
    if cut.size:
        destination, source = cut[0]
        raise ValueError(
            f"{fabric}: there is no path from {ranks[source]} to {ranks[destination]}; join them "
            "or leave one of the ranks out"
        )
    return hops


def _towards(symmetry: Symmetry, hops: NDArray[np.float64]) -> Any:
    """Return [sources, groups] shares of what each rank sends to one rank, on each link."""
    from scipy.sparse import coo_array

    classes, ranks = len(symmetry.class_size), len(symmetry.rank_class)
    # Links that lead one hop nearer to the destination: a shortest path takes no others.
    onward = np.flatnonzero(hops[symmetry.tail] == hops[symmetry.head] + 1)
    tail, degree = symmetry.tail[onward], symmetry.degree[onward]
    next_hops = np.bincount(tail, weights=degree, minlength=classes)
    # Step: part of the traffic in a class that goes on to another class, even over the next hops.
    step = coo_array(
        (degree / next_hops[tail], (tail, symmetry.head[onward])), shape=(classes, classes)
    ).tocsr()
    # Link: part of the traffic in a class that each single link of a group carries.
    on_link = coo_array(
        (1 / (next_hops[tail] * symmetry.class_size[tail]), (tail, onward)),
        shape=(classes, len(symmetry.tail)),
    ).tocsr()
    here = coo_array(
        (np.ones(ranks), (np.arange(ranks), symmetry.rank_class)), shape=(ranks, classes)
    ).tocsr()
    # Traffic moves a hop on at a time. What was ever in a class has passed its links; the last hop
    # into the destination is among those of the classes one hop away.
    passed = here
    for _ in range(int(hops[symmetry.rank_class].max()) - 1):
        here = here @ step
        passed = passed + here
    return (passed @ on_link).tocoo()


def _slowest(symmetry: Symmetry, hops: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [classes] seconds to one rank along the slowest of the shortest paths."""
    # From near to far: a class at some distance is reached through classes one hop nearer.
    seconds = np.zeros(len(symmetry.class_size))
    reached = hops[np.isfinite(hops)].max()
    for distance in range(1, int(reached) + 1):
        here = (hops[symmetry.tail] == distance) & (hops[symmetry.head] == distance - 1)
        arriving = symmetry.latency[here] + seconds[symmetry.head[here]]
        np.maximum.at(seconds, symmetry.tail[here], arriving)
    return seconds

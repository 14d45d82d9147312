"""Equal-cost multipath: which share of a pair's bytes crosses which link."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from hardware.fabric import Fabric


def equal_cost_routes(fabric: "Fabric") -> tuple[Any, NDArray[np.float64]]:
    """Split every pair's unit of traffic evenly over its next hops, at every node again.

    Returns
    -------
    share : scipy.sparse.csr_array
        [links, ranks * ranks] share of the bytes from source to destination (column
        ``source * ranks + destination``) on each link.
    latency : ndarray
        [ranks, ranks] seconds along the slowest of the shortest paths.

    Raises
    ------
    ValueError
        Naming the pair, if one rank cannot reach another.
    """
    from scipy.sparse import coo_array

    ranks = fabric.num_ranks
    links = {link: number for number, link in enumerate(fabric.links)}
    latency = np.zeros((ranks, ranks))
    rows, columns, shares = [], [], []
    for destination in range(ranks):
        for link, sources, flow in _towards(fabric, destination, latency):
            rows.append(np.full(sources.size, links[link]))
            columns.append(sources * ranks + destination)
            shares.append(flow)
    shape = (len(links), ranks * ranks)
    if not rows:
        return coo_array(shape).tocsr(), latency
    entries = (np.concatenate(shares), (np.concatenate(rows), np.concatenate(columns)))
    return coo_array(entries, shape=shape).tocsr(), latency


def _towards(fabric: "Fabric", destination: int, latency: NDArray[np.float64]) -> Any:
    """Yield (link, [sources], [shares]) for all traffic to one rank; fill its latency column."""
    import networkx as nx

    graph, ranks = fabric.graph, fabric.ranks
    target = ranks[destination]
    hops = nx.single_source_shortest_path_length(graph.reverse(copy=False), target)
    for rank in ranks:
        if rank not in hops:
            raise ValueError(f"{fabric.name}: there is no path from {rank} to {target}")
    flow = {rank: np.eye(1, len(ranks), number)[0] for number, rank in enumerate(ranks)}
    slowest = {target: 0.0}
    outward = sorted(hops, key=lambda node: hops[node])
    onward = {
        node: [after for after in graph.successors(node) if hops.get(after) == hops[node] - 1]
        for node in outward
        if node != target
    }
    for node in outward[1:]:
        slowest[node] = max(
            graph.edges[node, after]["latency"] + slowest[after] for after in onward[node]
        )
    for node in reversed(outward[1:]):
        if node not in flow:
            continue
        part = flow[node] / len(onward[node])
        sources = np.flatnonzero(part)
        for after in onward[node]:
            flow[after] = flow[after] + part if after in flow else part
            yield (node, after), sources, part[sources]
    latency[:, destination] = [slowest[rank] for rank in ranks]

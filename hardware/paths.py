"""Equal-cost multipath: which part of every pair's bytes crosses which link."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.quantity import Array

Index = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Network:
    """A directed graph as arrays.

    Parameters
    ----------
    tail, head
        [links] node each link leaves and enters.
    bandwidth
        [links] bytes/s.
    latency
        [links] seconds.
    ranks
        [ranks] node of each rank.
    num_nodes
        Nodes of the graph.
    """

    tail: Index
    head: Index
    bandwidth: Array
    latency: Array
    ranks: Index
    num_nodes: int


@dataclass(frozen=True, eq=False)
class Paths:
    """Frozen link shares of all pairs.

    The links of a plane, or all uplinks of a server, are loaded in proportion whatever is sent.
    Such links form a bundle, and only one row a bundle is kept: on CloudMatrix384 that is tens
    of rows for a thousand links.

    Parameters
    ----------
    share
        Sparse [bundles, pairs] part of the bytes of pair ``source * ranks + destination`` that
        crosses the first link of the bundle.
    pace
        [bundles] seconds the slowest link of the bundle takes for a byte on the first link.
    bundle
        [links] bundle of each link, -1 if no pair crosses it.
    scale
        [links] bytes on a link for each byte on the first link of its bundle.
    latency
        [ranks, ranks] seconds of the longest of the pair's paths, 0 on the diagonal.
    """

    share: Any
    pace: Array
    bundle: Index
    scale: Array
    latency: Array


def freeze(network: Network) -> Paths:
    """Find every pair's shortest paths and split its bytes over them.

    A flow is split evenly at every hop over the links that lie on a path of fewest hops, as
    switches do that hash over equal-cost next hops. Two passes are made over the destinations,
    the first to see which links are loaded in proportion, so that never more than one
    destination's [links, ranks] shares are held.

    Parameters
    ----------
    network
        The graph; every rank reaches every other.
    """
    from scipy import sparse

    num_ranks, num_links = len(network.ranks), len(network.tail)
    hops = _hops(network)
    bundle, first, scale = _bundles(network, hops)
    rows, columns, values = [], [], []
    for destination, share in enumerate(_shares(network, hops)):
        kept = share.T.tocsr()[first].tocoo()
        rows.append(kept.row)
        columns.append(kept.col * num_ranks + destination)
        values.append(kept.data)
    parts = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    pace = np.zeros(len(first))
    used = bundle >= 0
    np.maximum.at(pace, bundle[used], scale[used] / network.bandwidth[used])
    assert len(bundle) == num_links
    return Paths(
        share=sparse.csr_array(parts, shape=(len(first), num_ranks**2)),
        pace=pace,
        bundle=bundle,
        scale=scale,
        latency=_latency(network, hops),
    )


def _hops(network: Network) -> Array:
    """[ranks, nodes] hops from each node to each rank."""
    from scipy import sparse

    ones = np.ones(len(network.tail))
    size = (network.num_nodes, network.num_nodes)
    # A search that starts at the destination follows the links backwards.
    backward = sparse.csr_array((ones, (network.head, network.tail)), shape=size)
    hops: Array = sparse.csgraph.dijkstra(backward, indices=network.ranks, unweighted=True)
    return hops


def _shares(network: Network, hops: Array) -> Iterator[Any]:
    """Yield for each destination the sparse [ranks, links] share of each source's bytes."""
    from scipy import sparse

    num_ranks, num_links = len(network.ranks), len(network.tail)
    links = np.arange(num_links)
    arrive = sparse.csr_array(
        (np.ones(num_links), (links, network.head)), shape=(num_links, network.num_nodes)
    )
    start = sparse.csr_array(
        (np.ones(num_ranks), (np.arange(num_ranks), network.ranks)),
        shape=(num_ranks, network.num_nodes),
    )
    for gap in hops:
        onward = links[_onward(network, gap)]
        tail = network.tail[onward]
        split = 1.0 / np.bincount(tail, minlength=network.num_nodes)[tail]
        leave = sparse.csr_array((split, (tail, onward)), shape=(network.num_nodes, num_links))
        share = flow = start @ leave
        while flow.nnz:
            flow = (flow @ arrive) @ leave
            share = share + flow
        yield share


def _onward(network: Network, gap: Array) -> NDArray[np.bool_]:
    """[links] whether a link leads one hop nearer to the destination."""
    near = np.isfinite(gap[network.tail])
    return near & (gap[network.tail] == gap[network.head] + 1)


def _bundles(network: Network, hops: Array) -> tuple[Index, Index, Array]:
    """Group links that every pair loads in proportion: (bundle, first link of each, scale).

    Rows of the share matrix are compared by their products with three fixed random vectors, so
    the matrix itself is never held: rows are taken as proportional if their products are.
    """
    num_ranks, num_links = len(network.ranks), len(network.tail)
    probes = np.random.default_rng(0).uniform(0.5, 1.5, (num_ranks, num_ranks, 3))
    prints = np.zeros((num_links, 3))
    for probe, share in zip(probes, _shares(network, hops), strict=True):
        prints += share.T @ probe
    used = np.flatnonzero(prints[:, 0])
    bundle, scale = np.full(num_links, -1, dtype=np.intp), np.zeros(num_links)
    ratios = np.round(prints[used, 1:] / prints[used, :1], 10)
    _, first, inverse = np.unique(ratios, axis=0, return_index=True, return_inverse=True)
    bundle[used] = inverse.ravel()
    scale[used] = prints[used, 0] / prints[used[first], 0][bundle[used]]
    return bundle, used[first], scale


def _latency(network: Network, hops: Array) -> Array:
    """[ranks, ranks] seconds of the longest of the shortest-hop paths of each pair."""
    latency = np.zeros((len(network.ranks),) * 2)
    for destination, gap in enumerate(hops):
        onward = np.flatnonzero(_onward(network, gap))
        level = gap[network.tail[onward]]
        seconds = np.zeros(network.num_nodes)
        for hop in np.unique(level):
            links = onward[level == hop]
            ahead = network.latency[links] + seconds[network.head[links]]
            np.maximum.at(seconds, network.tail[links], ahead)
        latency[:, destination] = seconds[network.ranks]
    return latency

"""What a fabric is made of, and where traffic meets on it: what `fabric show` prints."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from hardware import Fabric

Array = NDArray[np.float64]


def facts(fabric: Fabric, bytes_sent: Array, traffic: str) -> dict[str, str]:
    """Return the nodes, rates, latencies and the time of an all-to-all, as texts by their names.

    Parameters
    ----------
    fabric
        The fabric.
    bytes_sent
        [source, destination] bytes of the all-to-all.
    traffic
        Name of the traffic.
    """
    kinds = Counter(kind or "node" for _, kind in fabric.graph.nodes(data="kind"))
    latency = fabric.latency[fabric.latency > 0]
    texts = {
        "nodes": ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        "a rank": f"{fabric.port_bytes_per_s / 1e9:.1f} GB/s one way into its switches",
    }
    if latency.size:
        low, high = latency.min() * 1e6, latency.max() * 1e6
        texts["latency"] = f"{low:.2f} to {high:.2f} µs between ranks"
    texts["all-to-all"] = f"{fabric.all_to_all(bytes_sent) * 1e6:.1f} µs for {traffic} traffic"
    return texts


def fullest_links(fabric: Fabric, bytes_sent: Array) -> list[tuple[str, str, float, float]]:
    """Return source, destination, busy seconds and utilisation of the fullest links."""
    return [
        (str(source), str(target), seconds, share)
        for (source, target), seconds, share in fabric.bottlenecks(bytes_sent)
    ]

"""The same machine with faster or slower links."""

import dataclasses
from collections.abc import Mapping

from hardware import Collectives, Fabric


def scaled(collectives: Collectives, factor: float) -> Collectives:
    """Return collectives whose links and library rates are ``factor`` times as fast.

    Latencies and setup times stay. This assumes that the library reaches the same fraction of the
    new bandwidth.

    Raises
    ------
    ValueError
        If the factor is not above 0 and finite.
    """
    if not 0 < factor < float("inf"):
        raise ValueError(f"bandwidth = {factor} breaks 0 < bandwidth, finite")
    fabric, library = collectives.fabric, collectives.library
    if factor == 1:
        return collectives
    graph = fabric.graph.copy()
    for _, _, link in graph.edges(data=True):
        link["bandwidth"] *= factor
    if library is not None:
        library = dataclasses.replace(
            library,
            dispatch=_faster(library.dispatch, factor),
            combine=_faster(library.combine, factor),
            send=_faster(library.send, factor),
        )
    return dataclasses.replace(
        collectives,
        fabric=Fabric(fabric.name, graph, fabric.ranks, fabric.figures),
        library=library,
    )


def _faster(figures: Mapping[str, float], factor: float) -> dict[str, float]:
    return {
        key: value * factor if key.endswith("bytes_per_s") else value
        for key, value in figures.items()
    }

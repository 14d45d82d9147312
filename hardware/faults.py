"""Faults: failed and degraded links, stragglers and jitter."""

import difflib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Jitter:
    """Seeded noise on the time of every rank, layer by layer.

    Parameters
    ----------
    sigma
        Standard deviation of the logarithm of a kernel phase's time. The mean stays 1, so that
        noise alone never makes work cheaper.
    stall_probability, stall_s
        Rare stalls of a rank in one layer (a graph launch that hangs, a garbage collection):
        xDeepServe section 4.4 reports more than 100 ms.
    rank_speed
        Relative speed of each rank, 1 being nominal; empty for all alike.
    seed
        Of the noise; the same seed and step give the same noise.

    Raises
    ------
    ValueError
        If ``sigma`` >= 0, 0 <= ``stall_probability`` <= 1, ``stall_s`` >= 0 or a positive
        ``rank_speed`` fails.
    """

    sigma: float = 0.0
    stall_probability: float = 0.0
    stall_s: float = 0.1
    rank_speed: tuple[float, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        good = self.sigma >= 0 and 0 <= self.stall_probability <= 1 and self.stall_s >= 0
        if not good:
            raise ValueError(
                f"sigma = {self.sigma} >= 0, 0 <= stall_probability = {self.stall_probability} <= 1"
                f" and stall_s = {self.stall_s} >= 0 must all hold"
            )
        if not all(speed > 0 for speed in self.rank_speed):
            raise ValueError(f"rank_speed = {self.rank_speed}; every speed must be > 0")

    def generator(self, step: int) -> np.random.Generator:
        """Return the source of the noise of one step; pass it through the step's phases."""
        return np.random.default_rng([self.seed, step])

    def apply(self, seconds: ArrayLike, generator: np.random.Generator) -> Array:
        """Return [layers, ranks] seconds with speed, noise and stalls.

        Raises
        ------
        ValueError
            If ``rank_speed`` is for another number of ranks.
        """
        taken = np.array(seconds, dtype=np.float64)
        if self.rank_speed:
            if len(self.rank_speed) != taken.shape[-1]:
                raise ValueError(
                    f"rank_speed has {len(self.rank_speed)} entries for {taken.shape[-1]} ranks; "
                    "give one for each"
                )
            taken /= np.array(self.rank_speed)
        if self.sigma:
            # The mean of exp(normal(-sigma² / 2, sigma)) is 1.
            noise = generator.normal(-(self.sigma**2) / 2, self.sigma, taken.shape)
            taken *= np.exp(noise)
        if self.stall_probability:
            taken += self.stall_s * (generator.random(taken.shape) < self.stall_probability)
        return taken


def without(
    name: str,
    graph: Any,
    links: Sequence[tuple[Hashable, Hashable]],
    nodes: Sequence[Hashable],
    degraded: Mapping[tuple[Hashable, Hashable], float],
) -> Any:
    """Return a copy of a graph without what failed; see :meth:`hardware.fabric.Fabric.without`.

    Raises
    ------
    ValueError
        If a link or node is not there, or a fraction breaks 0 < fraction <= 1.
    """
    for node in nodes:
        if node not in graph:
            raise ValueError(f"{name} has no node {node!r}{_nearest(str(node), graph.nodes)}")
    for one, other in [*links, *degraded]:
        if not (graph.has_edge(one, other) or graph.has_edge(other, one)):
            known = [f"{source}:{target}" for source, target in graph.edges]
            near = _nearest(f"{one}:{other}", known)
            raise ValueError(f"{name} has no link between {one!r} and {other!r}{near}")
    left = graph.copy()
    for cable, fraction in degraded.items():
        if not 0 < fraction <= 1:
            raise ValueError(
                f"{name}: the link {cable[0]} - {cable[1]} keeps {fraction}; 0 < fraction <= 1 "
                "must hold, and a link that keeps nothing is a failed one"
            )
        for source, target in (cable, cable[::-1]):
            if left.has_edge(source, target):
                left.edges[source, target]["bandwidth"] *= fraction
    # A cable is a link each way.
    left.remove_edges_from([*links, *(cable[::-1] for cable in links)])
    left.remove_nodes_from(nodes)
    return left


def _nearest(wanted: str, known: Any) -> str:
    near = difflib.get_close_matches(wanted, [str(one) for one in known], n=1)
    return f"; did you mean {near[0]!r}?" if near else ""

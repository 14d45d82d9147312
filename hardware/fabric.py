"""The fabric: a graph of dies, CPUs and switches, and how traffic contends on its links."""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware import preset
from hardware.even_links import EvenLinks
from hardware.faults import without
from hardware.routes import equal_cost_routes
from hardware.symmetry import Symmetry, find_symmetry
from hardware.topologies import TOPOLOGIES


class Fabric:
    """A directed graph whose edges carry ``bandwidth`` (bytes/s) and ``latency`` (s).

    Every flow splits evenly over its shortest paths, hop by hop (equal-cost multipath). Traffic is
    a fluid: all flows start together and the fullest link decides when the last byte arrives.

    Parameters
    ----------
    name
        For messages and records.
    graph
        ``networkx.DiGraph``.
    ranks
        Nodes of the graph that ranks run on, in order.
    figures
        Figures of the whole fabric, such as ``read_efficiency`` (fraction of a link's bandwidth
        that reads reach) and the constants of the collectives.

    Raises
    ------
    ValueError
        If an edge lacks a figure or has an impossible one, a rank is not in the graph, or one
        rank cannot reach another.
    """

    def __init__(
        self, name: str, graph: Any, ranks: Sequence[Hashable], figures: dict[str, float]
    ) -> None:
        self.name = name
        self.graph = graph
        self.ranks = list(ranks)
        self.figures = dict(figures)
        missing = [rank for rank in self.ranks if rank not in graph]
        if missing or len(set(self.ranks)) != len(self.ranks) or not self.ranks:
            raise ValueError(f"{name}: ranks need distinct nodes of the graph (missing: {missing})")
        for source, target, link in graph.edges(data=True):
            if not link.get("bandwidth", 0) > 0 or not link.get("latency", -1) >= 0:
                raise ValueError(
                    f"{name}: link {source} -> {target} has bandwidth {link.get('bandwidth')} and "
                    f"latency {link.get('latency')}; give bytes/s > 0 and seconds >= 0"
                )

    @classmethod
    def preset(
        cls, name_or_path: str | Path, num_ranks: int | None = None, plane: str | None = None
    ) -> "Fabric":
        """Build a bundled fabric, or the slice of it that ``num_ranks`` dies need.

        Parameters
        ----------
        name_or_path
            A bundled preset or a ``.toml`` file; its ``topology`` names the kind of graph.
        num_ranks
            Ranks, filling one node after another; by default all dies.
        plane
            The network that traffic takes: an edge attribute, "ub" or "rdma" for example. By
            default the preset's ``default_plane``.

        Raises
        ------
        ValueError
            If the preset, its topology or the plane is unknown or wrong, or has fewer dies than
            ranks.
        """
        path = preset.find("fabrics", name_or_path)
        content = preset.parse(path)
        kind = content.get("topology")
        if kind not in TOPOLOGIES:
            raise ValueError(f"{path}: topology = {kind!r} is not one of {', '.join(TOPOLOGIES)}")
        figures = preset.checked(str(path), content, TOPOLOGIES[kind].checks, frozenset())
        dies = figures["nodes"] * figures["dies_per_node"]
        ranks = dies if num_ranks is None else num_ranks
        if not 1 <= ranks <= dies:
            raise ValueError(
                f"num_ranks = {ranks} is outside 1 <= num_ranks <= {dies} dies of {path.stem}"
            )
        whole, nodes = TOPOLOGIES[kind].build(figures, ranks)
        return cls(
            figures["name"], _plane(path, whole, plane or figures["default_plane"]), nodes, figures
        )

    def without(
        self,
        links: Sequence[tuple[Hashable, Hashable]] = (),
        nodes: Sequence[Hashable] = (),
        degraded: Mapping[tuple[Hashable, Hashable], float] | None = None,
        *,
        drop_ranks: bool = False,
    ) -> "Fabric":
        """Return the fabric after failures, with traffic routed anew.

        Traffic still splits evenly over the paths of fewest hops, so that a degraded link slows
        all traffic that hashes onto it, as equal-cost multipath does.

        Parameters
        ----------
        links
            Cables that failed, both directions.
        nodes
            Switches, CPUs or dies that failed.
        degraded
            Fraction of its bandwidth that a cable keeps, both directions.
        drop_ranks
            Leave out the ranks of failed nodes; else a failed rank is an error.

        Raises
        ------
        ValueError
            If a link or node is not there (the nearest is suggested), a fraction breaks
            0 < fraction <= 1, a failed node is a rank, or two ranks have lost their last path:
            the pair is named.
        """
        graph = without(self.name, self.graph, links, nodes, degraded or {})
        gone = [rank for rank in self.ranks if rank not in graph]
        if gone and not drop_ranks:
            raise ValueError(
                f"{self.name}: {gone[0]} failed, and a rank runs on it; give drop_ranks=True to go "
                "on without its rank"
            )
        kept = [rank for rank in self.ranks if rank in graph]
        found = Fabric(self.name, graph, kept, self.figures)
        found.latency  # noqa: B018 - routes now, so that a cut network is said here
        return found

    @classmethod
    def from_graph(
        cls, graph: Any, ranks: Sequence[Hashable], name: str = "custom", **figures: float
    ) -> "Fabric":
        """Wrap a user's own graph; parameters and errors as in the class."""
        return cls(name, graph, ranks, figures)

    @property
    def num_ranks(self) -> int:
        """Ranks on this fabric."""
        return len(self.ranks)

    @property
    def ranks_per_node(self) -> int | None:
        """Dies of one server, where the fabric is made of servers and ranks fill them."""
        width = self.figures.get("dies_per_node")
        return None if width is None or self.num_ranks % width else int(width)

    @cached_property
    def links(self) -> list[tuple[Hashable, Hashable]]:
        """Edges of the graph, in the order of every array over links."""
        return list(self.graph.edges)

    @cached_property
    def link_rate(self) -> NDArray[np.float64]:
        """[links] bytes/s that reads reach."""
        return self._group_rate[self.symmetry.group_of_link]

    @cached_property
    def symmetry(self) -> Symmetry:
        """Nodes and links that carry the same whatever the traffic, found once."""
        return find_symmetry(self.graph, self.ranks)

    @cached_property
    def _group_rate(self) -> NDArray[np.float64]:
        """[link groups] bytes/s that reads reach on one link."""
        return self.symmetry.bandwidth * self.figures.get("read_efficiency", 1.0)

    @cached_property
    def _routes(self) -> tuple[Any, NDArray[np.float64]]:
        """Share of each pair's bytes on each link [link groups, pairs]; seconds [ranks, ranks]."""
        return equal_cost_routes(self.name, self.ranks, self.symmetry)

    @cached_property
    def latency(self) -> NDArray[np.float64]:
        """[ranks, ranks] seconds one way along the slowest of the equal paths; 0 to itself."""
        return self._routes[1]

    def link_bytes(self, bytes_sent: ArrayLike) -> NDArray[np.float64]:
        """Bytes on every link when rank ``src`` sends ``bytes_sent[src, dst]``.

        Returns
        -------
        ndarray
            [..., links].
        """
        of_group = self._group_bytes(self._checked_bytes(bytes_sent))
        return of_group[..., self.symmetry.group_of_link]

    def _group_bytes(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """[..., link groups] bytes on each link of a group."""
        # One sparse product routes all matrices: pairs are numbered source * ranks + destination.
        flat = matrix.reshape(-1, self.num_ranks**2)
        loads = np.asarray((self._routes[0] @ flat.T).T)
        return loads.reshape(*matrix.shape[:-2], len(self._group_rate))

    def all_to_all(self, bytes_sent: ArrayLike) -> Any:
        """Seconds until all bytes have arrived.

        Parameters
        ----------
        bytes_sent
            [..., src, dst] bytes; a rank's bytes to itself cross no link.

        Returns
        -------
        float or ndarray
            [...] seconds: the fullest link, and the longest latency among pairs with traffic.

        Raises
        ------
        ValueError
            If the matrix has another shape, or an entry is negative or not finite.
        """
        matrix = self._checked_bytes(bytes_sent)
        # Fluid traffic: all links work at the same time, and the fullest one ends last.
        busiest = (self._group_bytes(matrix) / self._group_rate).max(axis=-1)
        latency = np.where(matrix > 0, self.latency, 0.0).max(axis=(-1, -2))
        seconds = busiest + latency
        return float(seconds) if seconds.ndim == 0 else seconds

    def utilisation(self, bytes_sent: ArrayLike) -> NDArray[np.float64]:
        """[..., links] fraction of the time of the fullest link that each link is busy; 0 to 1."""
        busy = self.link_bytes(bytes_sent) / self.link_rate
        fullest = busy.max(axis=-1, keepdims=True)
        return np.divide(busy, fullest, out=np.zeros_like(busy), where=fullest > 0)

    def bottlenecks(
        self, bytes_sent: ArrayLike, top: int = 5
    ) -> list[tuple[tuple[Hashable, Hashable], float, float]]:
        """Return the ``top`` fullest links of an all-to-all: link, seconds busy, utilisation."""
        busy = self.link_bytes(bytes_sent) / self.link_rate
        if busy.ndim != 1:
            raise ValueError(f"bytes_sent has {busy.ndim + 1} axes; give one matrix [src, dst]")
        share = self.utilisation(bytes_sent)
        order = np.argsort(-busy, kind="stable")[:top]
        return [(self.links[link], float(busy[link]), float(share[link])) for link in order]

    @property
    def port_bytes_per_s(self) -> float:
        """Nominal bytes/s of the links by which the first rank reaches ranks of other nodes.

        Without several nodes, of all links that leave it for switches.
        """
        first = self.ranks[0]
        # Links to other ranks, as between two dies of a package, lead to no other node.
        links = [
            (self.graph.nodes[target].get("kind"), link["bandwidth"])
            for _, target, link in self.graph.out_edges(first, data=True)
            if target not in self._rank_set
        ]
        out = [rate for kind, rate in links if kind == "rail"]
        return sum(out or [rate for _, rate in links])

    @cached_property
    def _rank_set(self) -> frozenset[Hashable]:
        return frozenset(self.ranks)

    @cached_property
    def even_operators(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """[link groups, ranks] seconds per byte received (sent), in equal parts from (to) all."""
        from scipy.sparse import coo_array

        # Each rank's bytes go in equal parts to (come from) all ranks.
        ranks, rate = self.num_ranks, self.num_ranks * self._group_rate[:, None]
        pairs, rank = np.arange(ranks**2), np.arange(ranks)
        operators = []
        # The destination of each pair, then its source.
        for of_pair in (np.tile(rank, ranks), np.repeat(rank, ranks)):
            pick = coo_array((np.ones(ranks**2), (pairs, of_pair)), shape=(ranks**2, ranks))
            operators.append((self._routes[0] @ pick.tocsr()).toarray() / rate)
        return operators[0], operators[1]

    @cached_property
    def _even_links(self) -> tuple[EvenLinks, EvenLinks]:
        inbound, outbound = self.even_operators
        return EvenLinks.of_operator(inbound), EvenLinks.of_operator(outbound)

    def even_exchange(
        self, rank_bytes: NDArray[np.float64], *, inbound: bool, latency: bool = True
    ) -> NDArray[np.float64]:
        """Seconds of an all-to-all whose ranks each receive (send) in equal parts from (to) all.

        The same as :meth:`all_to_all` of that matrix, without building it.

        Parameters
        ----------
        rank_bytes
            [..., ranks] bytes that each rank receives, or sends if not ``inbound``; the part from
            the rank itself is included and crosses no link.
        inbound
            Whether the bytes are received or sent.
        latency
            Whether to add the longest latency.

        Raises
        ------
        ValueError
            If a number is negative or not finite.
        """
        if not (np.isfinite(rank_bytes).all() and rank_bytes.min(initial=0.0) >= 0):
            raise ValueError("rank_bytes must be finite and >= 0; correct the loads or the share")
        axis = 0 if inbound else 1
        busiest = self._even_links[axis].busiest_s(rank_bytes)
        if not latency:
            return busiest
        worst = self.latency.max(axis=axis)
        return busiest + np.where(rank_bytes > 0, worst, 0.0).max(axis=-1)

    def rank_distance(self) -> NDArray[np.float64]:
        """[ranks, ranks] seconds per byte between two ranks that have the fabric to themselves."""
        # Alone, a pair is as fast as the link that takes longest for its share.
        share = self._routes[0].multiply(1 / self._group_rate[:, None])
        slowest = np.asarray(share.max(axis=0).todense()).reshape(self.num_ranks, self.num_ranks)
        return np.array(slowest)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of all links with their figures and of the ranks in order."""
        # Sorted, since the order of edges does not matter.
        links = sorted(
            f"{source} {target} {data['bandwidth']!r} {data['latency']!r}"
            for source, target, data in self.graph.edges(data=True)
        )
        lines = [*links, repr(self.ranks), repr(sorted(self.figures.items(), key=str))]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _checked_bytes(self, bytes_sent: ArrayLike) -> NDArray[np.float64]:
        matrix = np.array(bytes_sent, dtype=np.float64)
        ranks = self.num_ranks
        if matrix.shape[-2:] != (ranks, ranks):
            raise ValueError(
                f"bytes_sent has shape {matrix.shape}; give [..., {ranks} src, {ranks} dst]"
            )
        if not (np.isfinite(matrix) & (matrix >= 0)).all():
            bad = tuple(np.argwhere(~(np.isfinite(matrix) & (matrix >= 0)))[0])
            raise ValueError(f"bytes_sent at {bad} is {matrix[bad]}; it must be finite and >= 0")
        # A rank's bytes to itself cross no link.
        matrix[..., np.arange(ranks), np.arange(ranks)] = 0
        return matrix

    def __repr__(self) -> str:
        return (
            f"Fabric({self.name}: {self.num_ranks} ranks, {self.graph.number_of_nodes()} nodes, "
            f"{self.graph.number_of_edges()} links)"
        )


def _plane(path: Path, graph: Any, plane: str) -> Any:
    """Return the part of a graph that one network is, its nodes and links."""
    there = {data["plane"] for _, _, data in graph.edges(data=True)}
    if plane not in there:
        raise ValueError(f"{path}: plane = {plane!r} is not one of {', '.join(sorted(there))}")
    links = [(u, v) for u, v, data in graph.edges(data=True) if data["plane"] == plane]
    return graph.edge_subgraph(links).copy()

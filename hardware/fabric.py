"""The interconnect: a graph of dies, CPUs and switches, and what traffic costs on it."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from hardware import engine as engine_rules
from hardware import topology
from hardware.engine import Engine
from hardware.paths import Index, Network, Paths, freeze
from hardware.preset import TEXT, Rule, read
from hardware.quantity import Array, quantity
from hardware.topology import Link, Planes

if TYPE_CHECKING:
    import networkx as nx

_RULES = {
    "name": TEXT,
    "source": TEXT,
    **topology.RULES,
    "engine": Rule(dict, table=engine_rules.RULES, required=False),
}


@dataclass(frozen=True, eq=False)
class Fabric:
    """A graph whose edges carry ``bandwidth`` (bytes/s) and ``latency`` (seconds).

    Made by :meth:`preset` or :meth:`from_graph`. Bandwidths are nominal; what part of them a
    transfer engine reaches belongs to ``engine``. Shares of links are worked out at the first
    question and kept.

    Parameters
    ----------
    graph
        Nodes may carry ``kind`` and ``server``; it must not be changed afterwards.
    ranks
        The node of each rank, in rank order.
    name
        Name of the preset, or of your choice.
    source
        Where the figures are from.
    engine
        Rates of dispatch and combine, if known.

    Raises
    ------
    ValueError
        If an edge lacks an attribute or has an impossible one, a rank is not a node or given
        twice, or a rank cannot reach another.
    """

    graph: "nx.DiGraph"
    ranks: tuple[Hashable, ...]
    name: str
    source: str
    engine: Engine | None = None

    def __post_init__(self) -> None:
        _check_graph(self.graph)
        _check_ranks(self.graph, self.ranks)

    @classmethod
    def preset(cls, name_or_path: str | Path, num_ranks: int | None = None) -> "Fabric":
        """Unfold a bundled fabric, or one of your own by a path ending in ``.toml``.

        Parameters
        ----------
        name_or_path
            For example ``"cloudmatrix384"``.
        num_ranks
            Dies to use, filling server after server; by default the whole machine.

        Raises
        ------
        ValueError
            If there is no such preset, it breaks a rule, or the machine has fewer dies.

        Examples
        --------
        >>> Fabric.preset("cloudmatrix384", num_ranks=32).num_ranks
        32
        """
        values = read("fabric", name_or_path, _RULES)
        name, source, engine = values.pop("name"), values.pop("source"), values.pop("engine", None)
        links = {key: Link(**value) for key, value in values.items() if isinstance(value, dict)}
        planes = Planes(**{**values, **links})
        num_ranks = planes.max_ranks if num_ranks is None else num_ranks
        ranks = tuple(f"die{rank}" for rank in range(num_ranks))
        return cls(
            planes.graph(num_ranks), ranks, name, source, Engine(**engine) if engine else None
        )

    @classmethod
    def from_graph(
        cls,
        graph: "nx.DiGraph",
        ranks: Sequence[Hashable],
        name: str = "custom",
        source: str = "user",
        engine: Engine | None = None,
    ) -> "Fabric":
        """Take any directed graph; it is copied.

        Parameters
        ----------
        graph
            Every edge carries ``bandwidth`` (bytes/s) and ``latency`` (seconds). Ranks that
            carry ``server`` share one with the ranks of equal value; without it a rank is
            alone in its server.
        ranks
            The node of each rank, in rank order.
        name, source
            What to call it and where its figures are from.
        engine
            Needed by :class:`hardware.Collectives` only.

        Raises
        ------
        ValueError
            As for the class.

        Examples
        --------
        >>> import networkx as nx
        >>> wire = nx.DiGraph()
        >>> wire.add_edge("a", "b", bandwidth=4.0, latency=0.5)
        >>> wire.add_edge("b", "a", bandwidth=2.0, latency=0.5)
        >>> float(Fabric.from_graph(wire, ["a", "b"]).all_to_all([[0, 8], [8, 0]]))
        4.5
        """
        return cls(graph.copy(), tuple(ranks), name, source, engine)

    @property
    def num_ranks(self) -> int:
        """Ranks on the fabric."""
        return len(self.ranks)

    @cached_property
    def links(self) -> tuple[tuple[Any, Any], ...]:
        """(tail, head) node of every link, in the order of :meth:`link_bytes`."""
        return tuple(self.graph.edges)

    @cached_property
    def server(self) -> Index:
        """[ranks] index of the server each rank is in."""
        found: dict[Hashable, int] = {}
        nodes = self.graph.nodes
        keys = [
            (("server", nodes[rank]["server"]) if "server" in nodes[rank] else rank)
            for rank in self.ranks
        ]
        return np.array([found.setdefault(key, len(found)) for key in keys], dtype=np.intp)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the sorted edges with their attributes, and of the ranks."""
        edges = sorted(
            f"{tail!r} {head!r} {float(data['bandwidth'])!r} {float(data['latency'])!r}"
            for tail, head, data in self.graph.edges(data=True)
        )
        return hashlib.sha256("\n".join([*edges, repr(self.ranks)]).encode()).hexdigest()

    def all_to_all(self, bytes_sent: ArrayLike) -> Array:
        """Price an exchange in which all bytes are under way at once.

        A fluid bound: the busiest link, bytes over bandwidth, and then the longest latency
        among the pairs that exchange anything. Bytes a rank keeps to itself are free.

        Parameters
        ----------
        bytes_sent
            [..., source, destination] bytes.

        Returns
        -------
        ndarray
            [...] seconds, 0 without traffic.

        Raises
        ------
        ValueError
            If a number is negative or not finite, or the shape does not match the ranks.
        """
        sent = self._traffic(bytes_sent)
        flat = sent.reshape(-1, self.num_ranks**2)
        busiest = self._busiest(self._paths.share @ flat.T)
        slowest = ((flat > 0) * self._paths.latency.ravel()).max(axis=-1)
        seconds: Array = (busiest + slowest).reshape(sent.shape[:-2])
        return seconds

    def uniform_source_s(self, inbound_bytes: ArrayLike) -> Array:
        """Price an exchange in which each rank's bytes come in equal parts from all ranks.

        Equal to :meth:`all_to_all` on ``inbound_bytes[..., None, :] / ranks``, the part from
        itself being free, without forming that matrix.

        Parameters
        ----------
        inbound_bytes
            [..., ranks] bytes, the part from itself included.

        Returns
        -------
        ndarray
            [...] seconds.

        Raises
        ------
        ValueError
            As :meth:`all_to_all`.
        """
        return self._uniform(inbound_bytes, self._inbound, axis=0)

    def uniform_destination_s(self, outbound_bytes: ArrayLike) -> Array:
        """Price an exchange in which each rank's bytes go in equal parts to all ranks.

        The mirror of :meth:`uniform_source_s`: ``outbound_bytes[..., :, None] / ranks``.

        Parameters
        ----------
        outbound_bytes
            [..., ranks] bytes, the part to itself included.

        Returns
        -------
        ndarray
            [...] seconds.

        Raises
        ------
        ValueError
            As :meth:`all_to_all`.
        """
        return self._uniform(outbound_bytes, self._outbound, axis=1)

    def link_bytes(self, bytes_sent: ArrayLike) -> Array:
        """Return the bytes that cross each link.

        Parameters
        ----------
        bytes_sent
            [..., source, destination] bytes.

        Returns
        -------
        ndarray
            [..., links] bytes, in the order of ``links``.

        Raises
        ------
        ValueError
            As :meth:`all_to_all`.
        """
        sent = self._traffic(bytes_sent)
        on_first = (self._paths.share @ sent.reshape(-1, self.num_ranks**2).T).T
        # Links no pair crosses have bundle -1 and scale 0.
        padded = np.concatenate([on_first, np.zeros((len(on_first), 1))], axis=1)
        crossed: Array = padded[:, self._paths.bundle] * self._paths.scale
        return crossed.reshape(*sent.shape[:-2], len(self.links))

    def latency_s(self, source: int, destination: int) -> float:
        """Return the seconds of the longest of a pair's paths; 0 from a rank to itself.

        Raises
        ------
        ValueError
            If there is no such rank.
        """
        for rank in (source, destination):
            if not 0 <= rank < self.num_ranks:
                raise ValueError(f"rank {rank}, but must be >= 0 and < {self.num_ranks}")
        return float(self._paths.latency[source, destination])

    def rank_distance(self) -> Array:
        """Return the seconds a byte takes between two ranks alone on the fabric.

        Returns
        -------
        ndarray
            [ranks, ranks] 1 over the rate at which the pair's most loaded link fills up, at
            nominal bandwidths and without latency; 0 on the diagonal.
        """
        from scipy import sparse

        paced = sparse.diags_array(self._paths.pace) @ self._paths.share
        if not paced.nnz:
            return np.zeros((self.num_ranks,) * 2)
        slowest: Array = paced.max(axis=0).toarray()
        return slowest.reshape(self.num_ranks, self.num_ranks)

    @cached_property
    def _paths(self) -> Paths:
        number = {node: index for index, node in enumerate(self.graph)}
        edges = list(self.graph.edges(data=True))
        return freeze(
            Network(
                tail=np.array([number[tail] for tail, _, _ in edges], dtype=np.intp),
                head=np.array([number[head] for _, head, _ in edges], dtype=np.intp),
                bandwidth=np.array([data["bandwidth"] for _, _, data in edges], dtype=np.float64),
                latency=np.array([data["latency"] for _, _, data in edges], dtype=np.float64),
                ranks=np.array([number[rank] for rank in self.ranks], dtype=np.intp),
                num_nodes=len(number),
            )
        )

    @cached_property
    def _inbound(self) -> Array:
        """[bundles, ranks] share on the first link, each destination's bytes spread evenly."""
        return self._spread(np.arange(self.num_ranks**2) % self.num_ranks)

    @cached_property
    def _outbound(self) -> Array:
        return self._spread(np.arange(self.num_ranks**2) // self.num_ranks)

    def _spread(self, rank: Index) -> Array:
        from scipy import sparse

        parts = (np.full(len(rank), 1 / self.num_ranks), (np.arange(len(rank)), rank))
        gather = sparse.csr_array(parts, shape=(len(rank), self.num_ranks))
        dense: Array = (self._paths.share @ gather).toarray()
        return dense

    def _uniform(self, one_side_bytes: ArrayLike, operator: Array, axis: int) -> Array:
        given = quantity("bytes", one_side_bytes, (self.num_ranks,))
        flat = given.reshape(-1, self.num_ranks)
        busiest = self._busiest(operator @ flat.T)
        slowest = ((flat > 0) * self._paths.latency.max(axis=axis)).max(axis=-1)
        seconds: Array = (busiest + slowest).reshape(given.shape[:-1])
        return seconds

    def _busiest(self, on_first: Array) -> Array:
        """[...] seconds of the slowest link, from [bundles, ...] bytes on each first link."""
        busiest: Array = (on_first * self._paths.pace[:, None]).max(axis=0, initial=0.0)
        return busiest

    def _traffic(self, bytes_sent: ArrayLike) -> Array:
        return quantity("bytes_sent", bytes_sent, (self.num_ranks, self.num_ranks))


def _check_graph(graph: "nx.DiGraph") -> None:
    if not graph.is_directed() or graph.is_multigraph():
        raise ValueError(
            f"a fabric needs a networkx.DiGraph, not a {type(graph).__name__}; "
            "graph.to_directed() gives every link two directions"
        )
    for tail, head, data in graph.edges(data=True):
        for key, least in (("bandwidth", "> 0"), ("latency", ">= 0")):
            if key not in data:
                raise ValueError(f"edge {tail!r} -> {head!r} has no {key!r}; add {key}=")
            value = data[key]
            good = value > 0 if key == "bandwidth" else value >= 0
            if not good or value == float("inf"):
                raise ValueError(
                    f"edge {tail!r} -> {head!r} has {key} {value}, but must be {least} and finite"
                )


def _check_ranks(graph: "nx.DiGraph", ranks: tuple[Hashable, ...]) -> None:
    import networkx as nx

    if not ranks:
        raise ValueError("a fabric needs >= 1 rank; name the nodes that are ranks")
    seen = set()
    for rank in ranks:
        if rank not in graph:
            raise ValueError(f"rank {rank!r} is not a node of the graph")
        if rank in seen:
            raise ValueError(f"rank {rank!r} is given twice; each rank needs a node of its own")
        seen.add(rank)
    # All ranks reach each other just when the first reaches, and is reached by, the rest.
    first = ranks[0]
    for rank, (one, other) in [
        *((rank, (first, rank)) for rank in seen - nx.descendants(graph, first) - {first}),
        *((rank, (rank, first)) for rank in seen - nx.ancestors(graph, first) - {first}),
    ]:
        raise ValueError(f"rank {one!r} cannot reach rank {other!r}; join them")

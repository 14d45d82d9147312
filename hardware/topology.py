"""Switch planes: the shape of a fabric, and the graph it unfolds to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hardware.preset import COUNT, SIZE, Rule, check

if TYPE_CHECKING:
    import networkx as nx

_NUMBER = Rule(int, least=0)
_LINK = {"bandwidth_bytes_per_s": SIZE, "latency_s": Rule(float, least=0)}

RULES = {
    "servers": COUNT,
    "dies_per_server": COUNT,
    "dies_per_chip": COUNT,
    "cpus_per_server": _NUMBER,
    "planes": COUNT,
    "l2_per_plane": _NUMBER,
    "die_l1": Rule(dict, table=_LINK),
    "cpu_l1": Rule(dict, table=_LINK, required=False),
    "l1_l2": Rule(dict, table=_LINK, required=False),
    "die_die": Rule(dict, table=_LINK, required=False),
}


@dataclass(frozen=True)
class Link:
    """One kind of link, the same in both directions.

    Parameters
    ----------
    bandwidth_bytes_per_s
        Bytes/s in each direction.
    latency_s
        Seconds a transfer spends on it.
    """

    bandwidth_bytes_per_s: float
    latency_s: float

    def __post_init__(self) -> None:
        check(vars(self), _LINK, "Link")


@dataclass(frozen=True)
class Planes:
    """Servers of dies and CPUs under independent planes of switches.

    Every server has one L1 switch a plane, joined to each of its dies and CPUs and to every L2
    switch of that plane; planes meet nowhere else. Dies of one package are joined directly.
    A single tier (one server, no L2) describes an NVLink domain.

    Parameters
    ----------
    servers
        Servers in the whole machine.
    dies_per_server, dies_per_chip, cpus_per_server
        Dies and CPUs of a server; dies of a package.
    planes, l2_per_plane
        Planes, and L2 switches in each.
    die_l1, cpu_l1, l1_l2, die_die
        The links; None where there is no such link.

    Raises
    ------
    ValueError
        If a count is impossible, or the counts ask for a link that is not described.
    """

    servers: int
    dies_per_server: int
    dies_per_chip: int
    cpus_per_server: int
    planes: int
    l2_per_plane: int
    die_l1: Link
    cpu_l1: Link | None = None
    l1_l2: Link | None = None
    die_die: Link | None = None

    def __post_init__(self) -> None:
        for table, needed, why in (
            ("cpu_l1", self.cpus_per_server > 0, f"cpus_per_server = {self.cpus_per_server} > 0"),
            ("l1_l2", self.l2_per_plane > 0, f"l2_per_plane = {self.l2_per_plane} > 0"),
            ("die_die", self.dies_per_chip > 1, f"dies_per_chip = {self.dies_per_chip} > 1"),
        ):
            if needed and getattr(self, table) is None:
                raise ValueError(f"{why} needs a table [{table}]; add it")
        if self.servers > 1 and self.l2_per_plane == 0:
            raise ValueError(f"servers = {self.servers} > 1 needs l2_per_plane >= 1")
        if self.dies_per_server % self.dies_per_chip:
            raise ValueError(
                f"dies_per_chip = {self.dies_per_chip} must divide "
                f"dies_per_server = {self.dies_per_server}"
            )

    @property
    def max_ranks(self) -> int:
        """Dies of the whole machine."""
        return self.servers * self.dies_per_server

    def graph(self, num_ranks: int) -> "nx.DiGraph":
        """Unfold the servers that hold the first ``num_ranks`` dies, and every L2 switch.

        Nodes are named ``die0``, ``cpu0``, ``l1/server/plane``, ``l2/plane/index`` and carry
        ``kind``, and ``server`` but for L2. Edges carry ``bandwidth`` (bytes/s) and ``latency``
        (seconds).

        Raises
        ------
        ValueError
            If the machine has fewer dies, or ``num_ranks`` is not positive.
        """
        import networkx as nx

        if not 1 <= num_ranks <= self.max_ranks:
            raise ValueError(
                f"num_ranks = {num_ranks}, but must be >= 1 and <= {self.max_ranks}, "
                f"the dies of {self.servers} servers"
            )
        graph = nx.DiGraph()
        for plane in range(self.planes):
            for index in range(self.l2_per_plane):
                graph.add_node(f"l2/{plane}/{index}", kind="l2")
        for server in range(-(-num_ranks // self.dies_per_server)):
            self._add_server(graph, server)
        return graph

    def _add_server(self, graph: "nx.DiGraph", server: int) -> None:
        switches = [f"l1/{server}/{plane}" for plane in range(self.planes)]
        graph.add_nodes_from(switches, kind="l1", server=server)
        for kind, count, link in (
            ("die", self.dies_per_server, self.die_l1),
            ("cpu", self.cpus_per_server, self.cpu_l1),
        ):
            for index in range(server * count, (server + 1) * count):
                graph.add_node(f"{kind}{index}", kind=kind, server=server)
                for switch in switches:
                    _join(graph, f"{kind}{index}", switch, link)
        for plane, switch in enumerate(switches):
            for index in range(self.l2_per_plane):
                _join(graph, switch, f"l2/{plane}/{index}", self.l1_l2)
        first = server * self.dies_per_server
        for chip in range(first, first + self.dies_per_server, self.dies_per_chip):
            dies = range(chip, chip + self.dies_per_chip)
            for low in dies:
                for high in range(low + 1, dies.stop):
                    _join(graph, f"die{low}", f"die{high}", self.die_die)


def _join(graph: "nx.DiGraph", one: str, other: str, link: Link | None) -> None:
    assert link is not None
    edge = {"bandwidth": link.bandwidth_bytes_per_s, "latency": link.latency_s}
    graph.add_edge(one, other, **edge)
    graph.add_edge(other, one, **edge)

"""Transfers of keys and values from prefill to decode, over the ports of one plane."""

from collections.abc import Callable
from dataclasses import dataclass, field

from evaluation.serving.engine.task_executor import TaskExecutor
from hardware import Fabric


@dataclass(frozen=True)
class KvTransfer:
    """Keys and values of a request on their way between two DP groups.

    Parameters
    ----------
    request
        The request.
    attempt
        Attempt of the request when the transfer began; the transfer is void once it has risen.
    source, source_group, target, target_group
        Task executor and DP group that send and that receive.
    """

    request: int
    attempt: int
    source: TaskExecutor
    source_group: int
    target: TaskExecutor
    target_group: int


@dataclass
class Ports:
    """Transfers between DP groups: first come, first served at both ends.

    A transfer begins when the port of the group that sends and of the one that receives are free,
    and runs at the lesser of their rates. DistFlow has an instance for each pair of task executors
    and its transfers share the ports of their dies (xDeepServe section 5.1).

    Parameters
    ----------
    die_bytes_per_s
        Rate at which one die sends or receives on the plane.
    latency_s
        Latency of one transfer, including the handshake.
    """

    die_bytes_per_s: float
    latency_s: float
    _free_s: dict[tuple[int, int, str], float] = field(default_factory=dict)

    def send(
        self,
        now_s: float,
        source: tuple[int, int],
        target: tuple[int, int],
        dies: tuple[float, float],
        size_bytes: float,
    ) -> tuple[float, float]:
        """Book a transfer.

        Parameters
        ----------
        now_s
            Earliest start.
        source, target
            Task executor and DP group that send and receive.
        dies
            Number of dies of either group.
        size_bytes
            Size of the keys and values.

        Returns
        -------
        start_s, end_s
            When the transfer begins, and when all has arrived.
        """
        ends = ((*source, "out"), (*target, "in"))
        start = max([now_s] + [self._free_s.get(end, 0.0) for end in ends])
        end_s = start + self.latency_s + size_bytes / (self.die_bytes_per_s * min(dies))
        for end in ends:
            self._free_s[end] = end_s
        return start, end_s


@dataclass(frozen=True)
class KvNetwork:
    """Network that carries keys and values.

    Parameters
    ----------
    ports
        Ports of its plane.
    cache_bytes
        Returns the bytes of the keys and values of a number of tokens.
    """

    ports: Ports
    cache_bytes: Callable[[float], float]

    def send(self, transfer: KvTransfer, now_s: float, tokens: int) -> tuple[float, float]:
        """Book the transfer of some tokens; return its start and end in seconds."""
        source, target = transfer.source, transfer.target
        origin, group = transfer.source_group, transfer.target_group
        return self.ports.send(
            max(now_s, source.kv_from_s, target.kv_from_s),
            (source.number, origin),
            (target.number, group),
            (source.kv_dies(origin), target.kv_dies(group)),
            self.cache_bytes(float(tokens)),
        )


def ports(fabric: Fabric, plane: str) -> Ports:
    """Return the ports of a plane of a fabric.

    Raises
    ------
    ValueError
        If the fabric preset has no such plane.
    """
    figures = fabric.figures
    if plane in ("ub", "scale-up"):
        rate = fabric.port_bytes_per_s * figures.get("write_efficiency", 1.0)
        return Ports(rate, 2 * figures.get("l1_l2_s", 1e-6))
    if plane == "rdma" and "rdma_bytes_per_s" in figures:
        return Ports(figures["rdma_bytes_per_s"], 2 * figures.get("rdma_s", 2e-6))
    if plane == "vpc" and "vpc_bytes_per_s" in figures:
        each = figures["vpc_bytes_per_s"] / figures["dies_per_node"]
        return Ports(each, 2 * figures.get("vpc_s", 1e-5))
    raise ValueError(
        f"plane = {plane!r} is not one of the fabric {fabric.name}: scale-up (ub)"
        + "".join(f", {name}" for name in ("rdma", "vpc") if f"{name}_bytes_per_s" in figures)
    )

"""The fabric of a task executor under faults: which dies are cut off, and what remains."""

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fabric_parts import Cable, FabricParts
from evaluation.serving.faults.fault import Fault
from evaluation.serving.faults.kinds import KINDS, FaultEffect
from hardware import Fabric
from hardware.faults import without


def broken_parts(fabric: Fabric, faults: Iterable[Fault]) -> FabricParts:
    """Return the links and switches that faults break; faults that break none are ignored.

    Raises
    ------
    ValueError
        If an index or a name is not in the fabric; the nearest name is suggested.
    """
    links: dict[frozenset[Hashable], Cable] = {}  # both directions of a link are one entry
    nodes: dict[Hashable, None] = {}
    for fault in faults:
        parts = KINDS[fault.kind].parts(fault, fabric)
        links.update({frozenset(link): link for link in parts.links})
        nodes.update(dict.fromkeys(parts.switches))
    return FabricParts(tuple(links.values()), tuple(nodes))


def cut_dies(fabric: Fabric, faults: Iterable[Fault]) -> tuple[int, ...]:
    """Return the dies that failed links and switches cut off, ascending; often none.

    The network may fall into parts whose dies still reach each other. The part with most dies goes
    on, of equal parts the one with the first die. Dies of the others are cut off, an assumption of
    ours.
    """
    import networkx as nx

    broken = broken_parts(fabric, faults)
    if not broken:
        return ()
    remaining = without(fabric.name, fabric.graph, broken.links, broken.switches, {})
    die = {rank: number for number, rank in enumerate(fabric.ranks)}
    components = [
        sorted(die[node] for node in component if node in die)
        for component in nx.strongly_connected_components(remaining)
    ]
    largest = min((dies for dies in components if dies), key=lambda dies: (-len(dies), dies[0]))
    return tuple(sorted(set(die.values()) - set(largest)))


def dies_hit(fault: Fault, executor: ExecutorDies, broken: Sequence[Fault] = ()) -> tuple[int, ...]:
    """Return the dies that a fault takes from its executor, lost before or not.

    Parameters
    ----------
    fault
        A fault that takes no die gives none, for instance a slow die.
    executor
        The executor of the fault.
    broken
        Faults whose links and switches are broken already. Together with them a fault can cut dies
        off that it alone would not.
    """
    kind = KINDS[fault.kind]
    if kind.effect is FaultEffect.LOSES_DIES:
        return kind.dies(fault, executor)
    fabric = executor.network(fault.plane)
    if kind.effect is not FaultEffect.BREAKS_PATHS or fabric is None:
        return ()
    same_network = [other for other in broken if executor.network(other.plane) is fabric]
    return cut_dies(fabric, [*same_network, fault])


def remaining_fabric(
    fabric: Fabric, faults: Sequence[Fault], without_dies: Sequence[int] = ()
) -> Fabric:
    """Return the fabric without its failed parts, between all dies but some.

    Dies that are left out still pass on the traffic that comes through their package, an assumption
    of ours, so that no other die is cut off with them.

    Raises
    ------
    ValueError
        As in :func:`broken_parts`.
    """
    broken = broken_parts(fabric, faults)
    if not broken and not without_dies:
        return fabric
    parts = frozenset(broken.links), frozenset(broken.switches)
    return _remaining_fabric(fabric, *parts, frozenset(without_dies))


@lru_cache(maxsize=64)
def _remaining_fabric(
    fabric: Fabric,
    links: frozenset[Cable],
    switches: frozenset[Hashable],
    without_dies: frozenset[int],
) -> Fabric:
    ranks = [rank for die, rank in enumerate(fabric.ranks) if die not in without_dies]
    graph = without(fabric.name, fabric.graph, tuple(links), tuple(switches), {})
    return Fabric(fabric.name, graph, ranks, fabric.figures)


def port_share(fabric: Fabric, faults: Sequence[Fault]) -> NDArray[np.float64]:
    """Return the part of its rate to and from all other dies that each die keeps.

    The rate is that of a die that exchanges alone and evenly with all others, in the worse
    direction, by :attr:`hardware.Fabric.even_operators`.

    Parameters
    ----------
    fabric
        The whole fabric.
    faults
        Faults that hold now; those of its links and switches count.

    Returns
    -------
    ndarray
        [dies] from 0, for those of :func:`cut_dies`, to 1.
    """
    share = np.zeros(fabric.num_ranks)
    cut = cut_dies(fabric, faults)
    kept = [die for die in range(fabric.num_ranks) if die not in set(cut)]
    remaining = remaining_fabric(fabric, faults, cut)
    share[kept] = 1.0
    for whole, left in zip(fabric.even_operators, remaining.even_operators, strict=True):
        before, after = whole.max(axis=0, initial=0.0)[kept], left.max(axis=0, initial=0.0)
        part = np.divide(before, after, out=np.ones(len(kept)), where=after > 0)
        share[kept] = np.minimum(share[kept], part)
    return share

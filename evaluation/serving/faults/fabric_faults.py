"""What failed links and switches leave of a task executor's fabric."""

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluation.serving.faults.executor_dies import ExecutorDies
from evaluation.serving.faults.fault import Fault
from hardware import Fabric
from hardware.faults import without

Cable = tuple[Hashable, Hashable]

#: Kinds of node that are no switch; ranks are none either. See ``hardware.topologies``.
ENDS = ("die", "gpu", "cpu")


@lru_cache(maxsize=64)
def cables(fabric: Fabric) -> tuple[Cable, ...]:
    """Return the links of a fabric, each once for its two directions, in the fabric's order."""
    found = {frozenset(link): link for link in reversed(fabric.links)}
    return tuple(reversed(found.values()))


@lru_cache(maxsize=64)
def switches(fabric: Fabric) -> tuple[Hashable, ...]:
    """Return the switches of a fabric: nodes that are no rank and no die, GPU or CPU."""
    ranks = set(fabric.ranks)
    kinds = fabric.graph.nodes(data="kind")
    return tuple(node for node, kind in kinds if node not in ranks and kind not in ENDS)


def broken_parts(
    fabric: Fabric, faults: Iterable[Fault]
) -> tuple[tuple[Cable, ...], tuple[Hashable, ...]]:
    """Return the links and the switches that faults break, by name or by index; others are ignored.

    Raises
    ------
    ValueError
        If an index or a name is not in the fabric; the nearest name is suggested.
    """
    links: dict[frozenset[Hashable], Cable] = {}
    nodes: dict[Hashable, None] = {}
    for fault in faults:
        if fault.kind == "link":
            link = _cable(fabric, fault)
            links[frozenset(link)] = link
        elif fault.kind == "switch":
            nodes[_switch(fabric, fault)] = None
    return tuple(links.values()), tuple(nodes)


def fabric_after(fabric: Fabric, faults: Iterable[Fault], lost_dies: Sequence[int] = ()) -> Fabric:
    """Return the fabric without what has failed, its traffic routed anew.

    Parameters
    ----------
    fabric
        Whole; die ``d`` is rank ``d``.
    faults
        That hold now (:func:`evaluation.serving.faults.fault.active`); those of links and switches
        count.
    lost_dies
        Dies that the executor runs without: their ranks are left out.

    Raises
    ------
    ValueError
        As in :func:`broken_parts`; if a die is out of range; or if two ranks have lost their last
        path, the pair being named.
    """
    outside = [die for die in lost_dies if not 0 <= die < fabric.num_ranks]
    if outside:
        raise ValueError(f"lost die {outside[0]} breaks 0 <= die < {fabric.num_ranks} ranks")
    links, nodes = broken_parts(fabric, faults)
    dead = [fabric.ranks[die] for die in lost_dies]
    if not links and not nodes and not dead:
        return fabric
    return fabric.without(links, [*nodes, *dead], drop_ranks=True)


def cut_dies(fabric: Fabric, faults: Iterable[Fault]) -> tuple[int, ...]:
    """Return the dies that failed links and switches cut off, ascending; often none.

    Of the parts in which all dies reach each other, that with most dies goes on, of several that
    with the first die; dies of the others are cut off, an assumption of ours.
    """
    import networkx as nx

    links, nodes = broken_parts(fabric, faults)
    if not links and not nodes:
        return ()
    left = without(fabric.name, fabric.graph, links, nodes, {})
    die = {rank: number for number, rank in enumerate(fabric.ranks)}
    parts = [
        sorted(die[node] for node in part if node in die)
        for part in nx.strongly_connected_components(left)
    ]
    goes_on = min((part for part in parts if part), key=lambda part: (-len(part), part[0]))
    return tuple(sorted(set(die.values()) - set(goes_on)))


def dies_hit(fault: Fault, executor: ExecutorDies, broken: Sequence[Fault] = ()) -> tuple[int, ...]:
    """Return the dies that a fault takes, lost before or not: a node's, or those cut off.

    Parameters
    ----------
    fault
        Of a slow die or a glitch, none.
    executor
        That of the fault.
    broken
        Its links and switches that are broken already.
    """
    if fault.kind == "die":
        return (fault.index,)
    if fault.kind == "node":
        return executor.dies_of_node(fault.index)
    fabric = executor.network(fault.plane)
    if fault.kind not in ("link", "switch") or fabric is None:
        return ()
    same = [one for one in broken if executor.network(one.plane) is fabric]
    return cut_dies(fabric, [*same, fault])


def fabric_left(fabric: Fabric, faults: Sequence[Fault], away: Sequence[int] = ()) -> Fabric:
    """Return the fabric without what has failed, between all dies but those ``away``.

    As :func:`fabric_after`, but dies that are away still pass on what comes by their package, an
    assumption of ours; so no other die is cut off with them.
    """
    links, nodes = broken_parts(fabric, faults)
    if not links and not nodes and not away:
        return fabric
    return _left(fabric, frozenset(links), frozenset(nodes), frozenset(away))


@lru_cache(maxsize=64)
def _left(
    fabric: Fabric, links: frozenset[Cable], nodes: frozenset[Hashable], away: frozenset[int]
) -> Fabric:
    kept = [rank for die, rank in enumerate(fabric.ranks) if die not in away]
    left = without(fabric.name, fabric.graph, tuple(links), tuple(nodes), {})
    return Fabric(fabric.name, left, kept, fabric.figures)


def port_share(fabric: Fabric, faults: Sequence[Fault]) -> NDArray[np.float64]:
    """Return what part of its rate to and from all others each die keeps.

    The rate is that of a die that exchanges alone and evenly with all others, in the worse
    direction, by :attr:`hardware.Fabric.even_operators`.

    Parameters
    ----------
    fabric
        Whole.
    faults
        Of its links and switches, that hold now.

    Returns
    -------
    ndarray
        [dies] from 0, for those of :func:`cut_dies`, to 1.
    """
    share = np.zeros(fabric.num_ranks)
    cut = cut_dies(fabric, faults)
    kept = [die for die in range(fabric.num_ranks) if die not in set(cut)]
    left = fabric_left(fabric, faults, cut)
    share[kept] = 1.0
    for whole, remains in zip(fabric.even_operators, left.even_operators, strict=True):
        before, after = whole.max(axis=0, initial=0.0)[kept], remains.max(axis=0, initial=0.0)
        part = np.divide(before, after, out=np.ones(len(kept)), where=after > 0)
        share[kept] = np.minimum(share[kept], part)
    return share


def _cable(fabric: Fabric, fault: Fault) -> Cable:
    if not fault.name:
        known = cables(fabric)
        return known[_in_range(fabric, fault, len(known), "links")]
    one, colon, other = fault.name.partition(":")
    by_text = {str(node): node for node in fabric.graph}
    if not colon:
        raise ValueError(f"{fault.label}: name = {fault.name!r}; a link is named by its ends, a:b")
    cable = (by_text.get(one, one), by_text.get(other, other))
    without(fabric.name, fabric.graph, [cable], (), {})
    return cable


def _switch(fabric: Fabric, fault: Fault) -> Hashable:
    known = switches(fabric)
    if not fault.name:
        return known[_in_range(fabric, fault, len(known), "switches")]
    by_text = {str(node): node for node in fabric.graph}
    node: Hashable = by_text.get(fault.name, fault.name)
    without(fabric.name, fabric.graph, (), [node], {})
    if node not in known:
        raise ValueError(f"{fault.label}: {fault.name!r} is not a switch; fail it as a die or node")
    return node


def _in_range(fabric: Fabric, fault: Fault, number: int, noun: str) -> int:
    if not 0 <= fault.index < number:
        raise ValueError(
            f"{fault.label}: index = {fault.index} breaks 0 <= index < {number} {noun} of "
            f"{fabric.name}"
        )
    return fault.index

"""Dispatcher that minimises the load of the most loaded rank."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lb.kernel import kernel
from lb.placement import Placement
from lb.read_only import read_only


def optimal(placement: Placement, load: ArrayLike) -> NDArray[np.float64]:
    """Split every expert's tokens so that the maximum rank load is the least possible, per layer.

    The optimum of the linear program that LPLB (deepseek-ai) solves each step, found exactly
    without one: T, the mean rank load at first, is always a lower bound. Load above T moves along
    shortest paths of replicas to ranks below T; where no path is left, the ranks that are reached
    from the overloaded ones can pass nothing on, so that their mean load is a higher bound, and
    T rises to it. When no rank is above T, the bound is met.

    Parameters
    ----------
    placement
        Where the replicas are.
    load
        [layers, experts] tokens of this step.

    Returns
    -------
    ndarray
        [layers, slots] share of its expert's tokens that each slot takes; even where an expert
        has no tokens.

    Raises
    ------
    ValueError
        If the load has another shape, or a number is negative or not finite.
    """
    tokens = np.ascontiguousarray(load, dtype=np.float64)
    if tokens.shape != (placement.num_layers, placement.num_experts):
        raise ValueError(
            f"load has shape {tokens.shape}; give [{placement.num_layers} layers, "
            f"{placement.num_experts} experts]"
        )
    if not (np.isfinite(tokens) & (tokens >= 0)).all():
        layer, expert = np.argwhere(~(np.isfinite(tokens) & (tokens >= 0)))[0]
        raise ValueError(
            f"load at layer {layer}, expert {expert} is {tokens[layer, expert]}; it must be finite "
            "and >= 0"
        )
    share: NDArray[np.float64] = placement.even_share.copy()
    slots = np.ascontiguousarray(placement.physical_to_logical)
    _balance_layers(slots, read_only(tokens), placement.num_ranks, share)
    return share


optimal.promises = frozenset({"scale-invariant", "never-hotter-than-even"})  # type: ignore[attr-defined]


@kernel
def _balance_layers(
    slots: NDArray[np.int64], load: NDArray[np.float64], ranks: int, share: NDArray[np.float64]
) -> None:
    """Replace the even ``share`` by the optimal one, layer by layer."""
    for layer in range(len(slots)):
        first, order = _slots_by_expert(slots[layer], load.shape[1])
        flow = np.empty(slots.shape[1])
        for slot in range(flow.size):
            flow[slot] = share[layer, slot] * load[layer, slots[layer, slot]]
        _balance(slots[layer], first, order, ranks, flow)
        for slot in range(len(flow)):
            tokens = load[layer, slots[layer, slot]]
            if tokens > 0:
                share[layer, slot] = flow[slot] / tokens


@kernel
def _slots_by_expert(
    slots: NDArray[np.int64], experts: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``order``, slots sorted by expert, and ``first``, where each expert's begin."""
    first = np.zeros(experts + 1, np.int64)
    for expert in slots:
        first[expert + 1] += 1
    for expert in range(experts):
        first[expert + 1] += first[expert]
    fill = first.copy()
    order = np.empty(len(slots), np.int64)
    for slot in range(len(slots)):
        order[fill[slots[slot]]] = slot
        fill[slots[slot]] += 1
    return first, order


@kernel
def _balance(
    slots: NDArray[np.int64],
    first: NDArray[np.int64],
    order: NDArray[np.int64],
    ranks: int,
    flow: NDArray[np.float64],
) -> None:
    """Move ``flow`` [slots] tokens between replicas until the most loaded rank meets its bound."""
    per_rank = len(slots) // ranks
    rank_load = np.empty(ranks)
    total = 0.0
    for rank in range(ranks):
        held = 0.0
        for slot in range(rank * per_rank, (rank + 1) * per_rank):
            held += flow[slot]
        rank_load[rank] = held
        total += held
    # T of the docstring: no split is better than the mean.
    level = total / ranks
    # What sums of loads may be off by rounding.
    slack = 1e-12 * total
    came_from = np.empty(ranks, np.int64)  # slot whose tokens would move, and the slot they go to
    goes_to = np.empty(ranks, np.int64)
    queue = np.empty(ranks, np.int64)
    # A path to a rank below the level passes load on; without a path the level rises; without an
    # overloaded rank the level is reached.
    while True:
        reached, end = _search(
            slots, first, order, per_rank, flow, rank_load, level, slack, came_from, goes_to, queue
        )
        if reached == 0:
            return
        if end < 0:  # nobody takes more: the reached ranks keep all that they have
            reached_load = 0.0
            for place in range(reached):
                reached_load += rank_load[queue[place]]
            # At least by the slack, so that rounding cannot stall the loop.
            level = max(level + slack, reached_load / reached)
            continue
        _augment(per_rank, flow, rank_load, level, came_from, goes_to, end)


@kernel
def _search(
    slots: NDArray[np.int64],
    first: NDArray[np.int64],
    order: NDArray[np.int64],
    per_rank: int,
    flow: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    level: float,
    slack: float,
    came_from: NDArray[np.int64],
    goes_to: NDArray[np.int64],
    queue: NDArray[np.int64],
) -> tuple[int, int]:
    """Search breadth first from all overloaded ranks for one that is below ``level``.

    Returns
    -------
    reached, end
        Ranks in ``queue``, 0 if none is overloaded; and the rank found, or -1.
    """
    ranks = len(rank_load)
    # -2: not reached yet; -1: overloaded, where paths start.
    came_from[:] = -2
    reached = 0
    for rank in range(ranks):
        if rank_load[rank] > level + slack:
            came_from[rank] = -1
            queue[reached] = rank
            reached += 1
    done = 0
    while done < reached:
        rank = queue[done]
        done += 1
        for slot in range(rank * per_rank, (rank + 1) * per_rank):
            # A replica without tokens has nothing to pass on.
            if flow[slot] <= 0:
                continue
            expert = slots[slot]
            for place in range(first[expert], first[expert + 1]):
                other = order[place] // per_rank
                if came_from[other] != -2:
                    continue
                came_from[other] = slot
                goes_to[other] = order[place]
                queue[reached] = other
                reached += 1
                if rank_load[other] < level - slack:
                    return reached, other
    return reached, -1


@kernel
def _augment(
    per_rank: int,
    flow: NDArray[np.float64],
    rank_load: NDArray[np.float64],
    level: float,
    came_from: NDArray[np.int64],
    goes_to: NDArray[np.int64],
    end: int,
) -> None:
    """Move as many tokens as the path that ends at rank ``end`` can pass."""
    # Limits: what the end takes below the level, what each replica on the path has, what the start
    # has above the level.
    amount = level - rank_load[end]
    rank = end
    while came_from[rank] >= 0:
        amount = min(amount, flow[came_from[rank]])
        rank = came_from[rank] // per_rank
    amount = min(amount, rank_load[rank] - level)
    # Ranks in between pass on what they receive: only both ends change.
    rank_load[rank] -= amount
    rank_load[end] += amount
    rank = end
    while came_from[rank] >= 0:
        flow[came_from[rank]] -= amount
        flow[goes_to[rank]] += amount
        rank = came_from[rank] // per_rank

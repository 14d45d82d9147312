"""A swap of two slots: its change in traffic, whether it is allowed, and its execution."""

from lb.kernel import kernel
from lb.traffic.state import TrafficLayer, TrafficState, add_load, fill_moved, peak


@kernel
def change_by_swap(
    layer: TrafficLayer, state: TrafficState, rank: int, slot: int, other: int, partner: int
) -> float:
    """Return the change of traffic by one swap, as in :func:`lb.traffic.search.best_partner`."""
    one, two = state.table[rank, slot], state.table[other, partner]
    here, there = layer.unit[rank], layer.unit[other]
    change = state.moved[rank, slot, other] - state.moved[rank, slot, rank]
    change += state.moved[other, partner, rank] - state.moved[other, partner, other]
    # Each of the two moves alone counts on finding the other expert where it no longer is, which
    # the last term takes off again.
    if here != there:
        share = 1.0 / state.replicas[one]
        change -= share * (state.pull[one, there] - state.pull[one, here])
        gained = state.pull[two, here] - state.pull[two, there]
        change -= (gained - 2 * share * layer.pairs[one, two]) / state.replicas[two]
    return float(change)


@kernel
def stays_within(
    layer: TrafficLayer,
    state: TrafficState,
    rank: int,
    one: int,
    other: int,
    two: int,
    limit: float,
) -> bool:
    """Whether no rank takes longer than ``limit`` if expert ``one`` of a rank goes for ``two``."""
    if layer.near == 0:
        # Under an even split only these two ranks change.
        shift = layer.weight[one] - layer.weight[two]
        here = (state.rank_load[rank] - shift) * layer.slowness[rank]
        return bool(max(here, (state.rank_load[other] + shift) * layer.slowness[other]) <= limit)
    # With nearest replicas first, any rank that holds one of the two may change: try, and undo.
    load = state.rank_load.copy()
    add_load(layer, state, one, -1.0, load)
    add_load(layer, state, two, -1.0, load)
    _hold(state, one, two, rank, other)
    add_load(layer, state, one, 1.0, load)
    add_load(layer, state, two, 1.0, load)
    _hold(state, two, one, rank, other)
    return bool(peak(load, layer.slowness) <= limit)


@kernel
def swap(
    layer: TrafficLayer, state: TrafficState, rank: int, slot: int, other: int, partner: int
) -> None:
    """Swap the experts of two slots and bring the state up to date."""
    one, two = state.table[rank, slot], state.table[other, partner]
    add_load(layer, state, one, -1.0, state.rank_load)
    add_load(layer, state, two, -1.0, state.rank_load)
    _hold(state, one, two, rank, other)
    add_load(layer, state, one, 1.0, state.rank_load)
    add_load(layer, state, two, 1.0, state.rank_load)
    state.table[rank, slot], state.table[other, partner] = two, one
    # Other replicas of the two experts share their tokens with the ones that moved.
    for holder in range(layer.slowness.size):
        if state.held[one, holder] or state.held[two, holder]:
            for place in range(state.table.shape[1]):
                if state.table[holder, place] == one or state.table[holder, place] == two:
                    fill_moved(layer, state, holder, place)
    # Savings count by unit.
    here, there = layer.unit[rank], layer.unit[other]
    if here == there:
        return
    for expert in range(state.replicas.size):
        shift = layer.pairs[one, expert] / state.replicas[one]
        shift -= layer.pairs[two, expert] / state.replicas[two]
        state.pull[expert, there] += shift
        state.pull[expert, here] -= shift


@kernel
def _hold(state: TrafficState, out: int, incoming: int, rank: int, other: int) -> None:
    state.held[out, rank] = False
    state.held[out, other] = True
    state.held[incoming, other] = False
    state.held[incoming, rank] = True

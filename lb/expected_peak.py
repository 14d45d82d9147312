"""Search one layer's placement for the least expected peak over many scenarios of its load.

Experts are numbered by falling load here, so that the answer does not depend on their names.

scenarios
    [experts, samples] single precision, tokens of each expert, scaled so that every sample's mean
    rank time is 1.
flow
    [slots, samples] tokens that each slot takes; kept for replicated experts alone, since the slot
    of an expert without replicas takes all its tokens.
time
    [ranks, samples] what each rank computes, times its slowness.
"""

import numpy as np
from numpy.typing import NDArray

from lb.copy_into import copy_into
from lb.kernel import kernel

#: Part of the moves that re-allocate a slot; the others swap.
REALLOCATIONS = 0.3

Singles = NDArray[np.float32]


@kernel
def anneal(
    slots: NDArray[np.int64],
    scenarios: Singles,
    slowness: Singles,
    sweeps: int,
    warmth: float,
    quantile: float,
    held: NDArray[np.bool_],
    price: float,
    draws: NDArray[np.float64],
) -> float:
    """Improve ``slots`` in place by simulated annealing; return the expected peak, 1 at best.

    With a ``quantile`` that is not negative, that quantile of the peak is what counts. Every expert
    that a rank must receive, since it is not ``held`` [ranks, experts] there, adds ``price``.

    Every row of ``draws`` [iterations, 4], uniform in [0, 1), is a move: either a rank that is the
    slowest in some sample swaps an expert with another rank, or the slot of a replicated expert
    goes to another one. After each move the dispatcher is followed from where it stood: ``sweeps``
    rounds over all pairs of replicas, in each of which a pair evens out the times of its two ranks
    as far as its tokens go. Rounds of that kind end at the exact min-max split, because they
    descend on the sum of squared times, whose minimum also has the least maximum; a few of them
    come close. Without rounds the split stays even.

    The temperature falls geometrically from ``warmth`` to a fiftieth of it. (Kirkpatrick, Gelatt
    and Vecchi 1983, Science 220, doi:10.1126/science.220.4598.671.)
    """
    ranks, samples = slowness.size, scenarios.shape[1]
    experts, width = len(scenarios), slots.size // ranks
    # Step 1: list the slots of every expert, split its tokens evenly and follow the dispatcher.
    count = np.zeros(experts, dtype=np.int64)
    copies = np.empty((experts, ranks + 1), dtype=np.int64)  # slots of each expert
    for slot in range(slots.size):
        copies[slots[slot], count[slots[slot]]] = slot
        count[slots[slot]] += 1
    flow = np.zeros((slots.size, samples), dtype=np.float32)
    time = np.zeros((ranks, samples), dtype=np.float32)
    _start(slots, count, scenarios, slowness, flow, time)
    # More rounds than after a move, since these start from the even split.
    for _ in range(8 * sweeps):
        _even_out(count, copies, slowness, width, flow, time)
    # A move is tried in the second copy; the two change names if it is kept.
    new_flow, new_time = flow.copy(), time.copy()
    peak_of = np.empty(samples, dtype=np.float32)
    received = 0
    for slot in range(slots.size):
        received += not held[slot // width, slots[slot]]
    current = _peak(time, quantile, peak_of) + price * received
    best, best_slots = current, slots.copy()
    cooling = 50.0 ** (-1.0 / max(1, len(draws)))
    for move in range(len(draws)):
        warmth *= cooling
        # kind: re-allocate or swap; first and second: which slots; chance: of the Metropolis rule.
        kind, first, second, chance = draws[move]
        one, other = _possible_move(slots, count, time, width, kind, first, second)
        if one < 0:
            continue
        # Slots, counts and copies change at once and are changed back on refusal; flow and time
        # change only in the second copy.
        _copy_state(count, copies, flow, time, new_flow, new_time)
        before = slots[one]
        if kind < REALLOCATIONS:
            more = _received(held, one // width, before, other)
            _give_slot(slots, count, copies, scenarios, slowness, one, other, new_flow, new_time)
        else:
            more = _received(held, one // width, before, slots[other])
            more += _received(held, other // width, slots[other], before)
            _swap(slots, count, copies, scenarios, slowness, one, other, new_flow, new_time)
        for _ in range(sweeps):
            _even_out(count, copies, slowness, width, new_flow, new_time)
        proposed = _peak(new_time, quantile, peak_of) + price * (received + more)
        # Metropolis rule: a worse state is kept with probability exp(-increase / warmth).
        if proposed < current or chance < np.exp((current - proposed) / warmth):
            current = proposed
            received += more
            flow, new_flow = new_flow, flow
            time, new_time = new_time, time
            if current < best:
                best = current
                copy_into(best_slots, slots)
        elif kind < REALLOCATIONS:  # undo the move
            _rename(slots, count, copies, one, before)
        else:
            _exchange_names(slots, count, copies, one, other)
    copy_into(slots, best_slots)
    return best


@kernel
def _possible_move(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    time: Singles,
    width: int,
    kind: float,
    first: float,
    second: float,
) -> tuple[int, int]:
    """Return the slot that changes and its new expert, or the slot to swap with; -1 if not allowed.

    A move is not allowed if it would put an expert on a rank twice.
    """
    if kind < REALLOCATIONS:
        slot = _next_replicated(slots, count, int(first * slots.size))
        expert = int(second * second * len(count))  # rather a heavy expert than a light one
        if slot < 0 or count[expert] == len(time) or _on_rank(slots, width, slot, expert):
            return -1, expert
        return slot, expert
    slot = _slot_at_peak(time, width, first)
    partner = int(second * slots.size)
    # The test also rules out two slots of one rank: each rank holds its own expert.
    if _on_rank(slots, width, slot, slots[partner]) or _on_rank(slots, width, partner, slots[slot]):
        return -1, partner
    return slot, partner


@kernel
def _received(held: NDArray[np.bool_], rank: int, gone: int, come: int) -> int:
    """Return how many more experts the rank must receive if one goes and one comes."""
    return int(not held[rank, come]) - int(not held[rank, gone])


@kernel
def _start(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    scenarios: Singles,
    slowness: Singles,
    flow: Singles,
    time: Singles,
) -> None:
    """Split every expert evenly."""
    width = slots.size // slowness.size
    for slot in range(slots.size):
        share = np.float32(1.0 / count[slots[slot]])
        rank = slot // width
        for sample in range(scenarios.shape[1]):
            flow[slot, sample] = scenarios[slots[slot], sample] * share
            time[rank, sample] += flow[slot, sample] * slowness[rank]


@kernel
def _even_out(
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    slowness: Singles,
    width: int,
    flow: Singles,
    time: Singles,
) -> None:
    """Let every pair of replicas even out the times of its ranks, as far as its tokens go."""
    for expert in range(len(count)):
        for i in range(1, count[expert]):
            for j in range(i):
                one, other = copies[expert, i], copies[expert, j]
                # To move x tokens to `one` costs its rank x * gain and saves the other x * loss:
                # the two times are equal at x = difference / (gain + loss), unless a replica runs
                # out of tokens before.
                rank, back = one // width, other // width
                gain, loss = slowness[rank], slowness[back]
                part = np.float32(1.0) / (gain + loss)
                mine, theirs = flow[one], flow[other]
                my_time, their_time = time[rank], time[back]
                for sample in range(mine.size):
                    moved = (their_time[sample] - my_time[sample]) * part
                    moved = max(min(moved, theirs[sample]), -mine[sample])
                    mine[sample] += moved
                    theirs[sample] -= moved
                    my_time[sample] += moved * gain
                    their_time[sample] -= moved * loss


@kernel
def _peak(time: Singles, quantile: float, peak_of: Singles) -> float:
    """Return the mean or a quantile over samples of the largest time; fills ``peak_of``."""
    copy_into(peak_of, time[0])
    for rank in range(1, len(time)):
        row = time[rank]
        for sample in range(row.size):
            peak_of[sample] = max(peak_of[sample], row[sample])
    if quantile >= 0.0:
        # The nearest of the sorted peaks, without interpolation; sorted by insertion.
        for end in range(1, peak_of.size):
            peak = peak_of[end]
            place = end
            while place and peak_of[place - 1] > peak:
                peak_of[place] = peak_of[place - 1]
                place -= 1
            peak_of[place] = peak
        return float(peak_of[int(quantile * (peak_of.size - 1) + 0.5)])
    total = 0.0
    for sample in range(peak_of.size):
        total += peak_of[sample]
    return total / peak_of.size


@kernel
def _copy_state(
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    flow: Singles,
    time: Singles,
    new_flow: Singles,
    new_time: Singles,
) -> None:
    for rank in range(len(time)):
        copy_into(new_time[rank], time[rank])
    # The flow of an expert without replicas is not kept: its slot takes all its tokens.
    for expert in range(len(count)):
        if count[expert] > 1:
            for i in range(count[expert]):
                copy_into(new_flow[copies[expert, i]], flow[copies[expert, i]])


@kernel
def _slot_at_peak(time: Singles, width: int, draw: float) -> int:
    """Return a slot of the rank that is the slowest in a sample, both drawn by ``draw``."""
    ranks, samples = time.shape
    # One draw chooses both: its whole part the sample, its fraction the slot.
    sample = int(draw * samples)
    slowest = 0
    for rank in range(1, ranks):
        if time[rank, sample] > time[slowest, sample]:
            slowest = rank
    return slowest * width + int((draw * samples - sample) * width)


@kernel
def _next_replicated(slots: NDArray[np.int64], count: NDArray[np.int64], start: int) -> int:
    """Return the first slot from ``start`` on, going round, whose expert has replicas; or -1."""
    for step in range(slots.size):
        slot = (start + step) % slots.size
        if count[slots[slot]] > 1:
            return slot
    return -1


@kernel
def _on_rank(slots: NDArray[np.int64], width: int, slot: int, expert: int) -> bool:
    """Say whether the rank of ``slot`` holds the expert."""
    first = slot - slot % width
    for other in range(first, first + width):  # noqa: SIM110, numba compiles no generators
        if slots[other] == expert:
            return True
    return False


@kernel
def _rename(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    slot: int,
    expert: int,
) -> None:
    """Let the slot hold another expert, in all three books."""
    before = slots[slot]
    # The list of slots is unordered, so that the last one may fill the gap.
    place = 0
    while copies[before, place] != slot:
        place += 1
    count[before] -= 1
    copies[before, place] = copies[before, count[before]]
    copies[expert, count[expert]] = slot
    count[expert] += 1
    slots[slot] = expert


@kernel
def _exchange_names(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    one: int,
    other: int,
) -> None:
    mine, theirs = slots[one], slots[other]
    for place in range(count[mine]):
        if copies[mine, place] == one:
            copies[mine, place] = other
    for place in range(count[theirs]):
        if copies[theirs, place] == other:
            copies[theirs, place] = one
    slots[one], slots[other] = theirs, mine


@kernel
def _give_slot(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    scenarios: Singles,
    slowness: Singles,
    slot: int,
    expert: int,
    flow: Singles,
    time: Singles,
) -> None:
    """Give the slot of a replicated expert to another one, which its replicas help to fill."""
    width = slots.size // slowness.size
    before = slots[slot]
    # It had no replicas until now, so that its flow was not kept.
    if count[expert] == 1:
        copy_into(flow[copies[expert, 0]], scenarios[expert])
    _rename(slots, count, copies, slot, expert)
    rank = slot // width
    # Step 1: the other replicas of the old expert share out what the slot computed.
    left = np.float32(1.0 / count[before])
    for i in range(count[before]):
        other = copies[before, i]
        back = other // width
        for sample in range(scenarios.shape[1]):
            moved = flow[slot, sample] * left
            flow[other, sample] += moved
            time[back, sample] += moved * slowness[back]
    # Step 2: the slot is empty.
    for sample in range(scenarios.shape[1]):
        time[rank, sample] -= flow[slot, sample] * slowness[rank]
        flow[slot, sample] = np.float32(0.0)
    # Step 3: each older replica of the new expert hands over the same part, so that the slot starts
    # with an even share.
    part = np.float32(1.0 / count[expert])
    for i in range(count[expert]):
        other = copies[expert, i]
        back = other // width
        if other == slot:
            continue
        for sample in range(scenarios.shape[1]):
            moved = flow[other, sample] * part
            flow[other, sample] -= moved
            flow[slot, sample] += moved
            time[back, sample] -= moved * slowness[back]
            time[rank, sample] += moved * slowness[rank]


@kernel
def _swap(
    slots: NDArray[np.int64],
    count: NDArray[np.int64],
    copies: NDArray[np.int64],
    scenarios: Singles,
    slowness: Singles,
    one: int,
    other: int,
    flow: Singles,
    time: Singles,
) -> None:
    """Exchange the experts of two slots, each with what it computes."""
    width = slots.size // slowness.size
    # Flows of experts without replicas are not kept: fill them in.
    if count[slots[one]] == 1:
        copy_into(flow[one], scenarios[slots[one]])
    if count[slots[other]] == 1:
        copy_into(flow[other], scenarios[slots[other]])
    rank, back = one // width, other // width
    for sample in range(scenarios.shape[1]):
        mine, theirs = flow[one, sample], flow[other, sample]
        flow[one, sample], flow[other, sample] = theirs, mine
        time[rank, sample] += (theirs - mine) * slowness[rank]
        time[back, sample] += (mine - theirs) * slowness[back]
    _exchange_names(slots, count, copies, one, other)

"""The inner loop of walks along recorded sequences."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel, part
from traces.generators.random_bits import Bits, word

#: Where a request is: token that comes next, sequence in its pool, sequences that it has ended.
TOKEN, AT, LAPS = range(3)
#: Words of random bits that belong to a request; more sequences than that it cannot end.
WORDS = np.uint64(2**32)


@part
def _uniform(key: Bits, request: int, lap: int) -> float:
    place = np.uint64(request) * WORDS + np.uint64(lap)
    return np.float64(word(key, place) >> np.uint64(11)) * 2.0**-53


@part
def _start(
    where: NDArray[np.int64],
    request: int,
    pool: int,
    key: Bits,
    first: NDArray[np.int64],
    begin: NDArray[np.int64],
    upto: NDArray[np.int64],
) -> None:
    """Put a request at a token of its pool, each as likely."""
    low, high = first[pool], first[pool + 1]
    before = upto[low]
    token = before + int(_uniform(key, request, 0) * (upto[high] - before))
    while high - low > 1:
        middle = (low + high) // 2
        if upto[middle] <= token:
            low = middle
        else:
            high = middle
    where[TOKEN] = begin[low] + token - upto[low]
    where[AT] = low
    where[LAPS] = 0


@part
def _next_sequence(
    where: NDArray[np.int64],
    request: int,
    pool: int,
    key: Bits,
    first: NDArray[np.int64],
    begin: NDArray[np.int64],
) -> None:
    """Put a request at the beginning of another sequence of its pool, each as likely."""
    low, others = first[pool], first[pool + 1] - first[pool] - 1
    where[LAPS] += 1
    if others > 0:
        chosen = low + int(_uniform(key, request, where[LAPS]) * others)
        where[AT] = chosen + (chosen >= where[AT])
    where[TOKEN] = begin[where[AT]]


@part
def _add_token(row: NDArray[np.int32], cells: NDArray[Any]) -> None:
    for choice in range(len(cells)):
        row[cells[choice]] += 1


@kernel
def walk_steps(
    counts: NDArray[np.int32],
    visits: NDArray[np.int32],
    rows: NDArray[np.int64],
    steps: NDArray[np.int64],
    runs: NDArray[np.int64],
    a_step: bool,
    pools: NDArray[np.int32],
    where: NDArray[np.int64],
    key: Bits,
    first: NDArray[np.int64],
    begin: NDArray[np.int64],
    upto: NDArray[np.int64],
    cells: NDArray[Any],
) -> None:
    """Walk the tokens of runs, and move the requests on.

    A token has 100 cells and more, so that a sum over many steps is cheaper made from the visits
    of each recorded token (:func:`add_visits`) than from the cells of each step.

    Parameters
    ----------
    counts
        [rows, layers * experts] counts of the steps that have a row, added to.
    visits
        [tokens] how often each recorded token is walked, added to.
    rows
        [steps] row of ``counts`` of each step; -1: it has none.
    steps
        [decode steps] step of each; unused for prefill.
    runs
        [runs, 4] spans of decode or pieces of prefill, as in
        :class:`traces.workload.composition.Composition`.
    a_step
        Whether each token is of the next decode step (a span), or all of one step (a piece).
    pools
        [requests] pool of each.
    where
        [requests, 3] place of each, token -1 before it begins; changed.
    key
        Of the stream of random bits.
    first
        [pools + 1] first sequence of each pool.
    begin, upto
        [sequences] first token of each, and [sequences + 1] tokens before it, pool after pool.
    cells
        [tokens, choices] cells of counts that each token adds to.
    """
    rounds = len(steps) if a_step else 1
    # step by step, so that the counts of a step stay in the nearest cache
    for decode_step in range(rounds):
        for number in range(len(runs)):
            request = runs[number, 0]
            if a_step:
                behind = decode_step - runs[number, 1]
                if behind < 0 or behind >= runs[number, 2]:
                    continue
                step, tokens = steps[decode_step], 1
            else:
                step, tokens = runs[number, 1], runs[number, 2]
            place = where[request]
            pool = pools[request]
            if place[TOKEN] < 0:
                _start(place, request, pool, key, first, begin, upto)
            row = rows[step]
            for _ in range(tokens):
                visits[place[TOKEN]] += 1
                if row >= 0:
                    _add_token(counts[row], cells[place[TOKEN]])
                place[TOKEN] += 1
                length = upto[place[AT] + 1] - upto[place[AT]]
                if place[TOKEN] == begin[place[AT]] + length:
                    _next_sequence(place, request, pool, key, first, begin)


@kernel
def add_visits(total: NDArray[np.int64], visits: NDArray[np.int32], cells: NDArray[Any]) -> None:
    """Add the cells of each recorded token to ``total`` [cells], as often as it was visited."""
    for token in range(len(visits)):
        if visits[token]:
            for choice in range(cells.shape[1]):
                total[cells[token, choice]] += visits[token]

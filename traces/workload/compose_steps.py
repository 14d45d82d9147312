"""The inner loop of continuous batching: from requests to spans of decode and pieces of prefill."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel, part

#: Places of the whole-number state: next request to admit, running sequences, decode steps so far,
#: tokens of the next request that are computed already, phase of the last step, steps so far.
NEXT, RUNNING, DECODED, DONE, LAST, STEPS = range(6)
#: Places of the limits: most sequences, most tokens of a prefill step, and whether prompts may be
#: cut, decode steps run, and prefill steps run.
MOST, BUDGET, CHUNKED, DECODES, PREFILLS = range(5)
#: Values of ``phase``: those of traces.header.PHASES.
PREFILL, DECODE = 0, 1
#: Columns of the heap of running sequences: decode step after its last, request, first decode step.
END, WHO, JOINED = range(3)
#: A zero to count from: numba would compile a kernel that a plain 0 is handed to once more for it.
ZERO = cast("int", np.int64(0))


@part
def _before(heap: NDArray[np.int64], one: int, other: int) -> bool:
    # requests break ties, so that the order never depends on how the heap lies
    if heap[one, END] != heap[other, END]:
        return bool(heap[one, END] < heap[other, END])
    return bool(heap[one, WHO] < heap[other, WHO])


@part
def _swap(heap: NDArray[np.int64], one: int, other: int) -> None:
    for column in range(3):
        heap[one, column], heap[other, column] = heap[other, column], heap[one, column]


@part
def _push(heap: NDArray[np.int64], size: int, end: int, who: int, joined: int) -> None:
    heap[size, END] = end
    heap[size, WHO] = who
    heap[size, JOINED] = joined
    place = size
    while place > 0 and _before(heap, place, (place - 1) // 2):
        _swap(heap, place, (place - 1) // 2)
        place = (place - 1) // 2


@part
def _pop(heap: NDArray[np.int64], size: int) -> None:
    """Remove the first of ``size`` entries; it is left behind the others."""
    size -= 1
    place = ZERO
    _swap(heap, place, size)
    while True:
        least = place
        for child in (2 * place + 1, 2 * place + 2):
            if child < size and _before(heap, child, least):
                least = child
        if least == place:
            return
        _swap(heap, place, least)
        place = least


@part
def _write_span(
    spans: NDArray[np.int64],
    row: int,
    entry: NDArray[np.int64],
    first_decode: int,
    stop: int,
    prompt: NDArray[np.int64],
) -> None:
    start = max(entry[JOINED], first_decode)
    spans[row, 0] = entry[WHO]
    spans[row, 1] = start - first_decode
    spans[row, 2] = stop - start
    spans[row, 3] = prompt[entry[WHO]] + start - entry[JOINED]


@part
def _waits(
    arrival: NDArray[np.float64], following: int, held: int, most: int, now_s: float
) -> bool:
    """Return whether a request has arrived and the batch has room for it."""
    return following < len(arrival) and arrival[following] <= now_s and held < most


@part
def _join(state: NDArray[np.int64], heap: NDArray[np.int64], output: NDArray[np.int64]) -> None:
    """Let the next request decode from the next decode step on."""
    following, decoded = state[NEXT], state[DECODED]
    _push(heap, state[RUNNING], decoded + output[following], following, decoded)
    state[RUNNING] += 1
    state[NEXT] += 1


@part
def _prefill_step(
    arrival: NDArray[np.float64],
    prompt: NDArray[np.int64],
    output: NDArray[np.int64],
    limits: NDArray[np.int64],
    now_s: float,
    state: NDArray[np.int64],
    heap: NDArray[np.int64],
    pieces: NDArray[np.int64],
    step: int,
) -> tuple[int, int]:
    """Compute waiting prompts up to the budget; return tokens and pieces, which are written."""
    left, held, used = limits[BUDGET], state[RUNNING], 0
    while _waits(arrival, state[NEXT], held, limits[MOST], now_s):
        request = state[NEXT]
        wanted = prompt[request] - state[DONE]
        if left <= 0 or (wanted > left and used > 0 and not limits[CHUNKED]):
            break
        taken = min(wanted, left) if limits[CHUNKED] else wanted
        pieces[used, 0] = request
        pieces[used, 1] = step
        pieces[used, 2] = taken
        pieces[used, 3] = state[DONE]
        used += 1
        held += 1
        left -= taken
        if taken < wanted:
            state[DONE] += taken
            break
        state[DONE] = 0
        if limits[DECODES]:
            _join(state, heap, output)
        else:
            state[NEXT] += 1
    return limits[BUDGET] - left, used


@part
def _decode_step(
    state: NDArray[np.int64],
    heap: NDArray[np.int64],
    prompt: NDArray[np.int64],
    first_decode: int,
    spans: NDArray[np.int64],
) -> int:
    """Give each running sequence a token; return the spans of those that end, written."""
    ended = ZERO
    state[DECODED] += 1
    while state[RUNNING] > 0 and heap[0, END] == state[DECODED]:
        _pop(heap, state[RUNNING])
        state[RUNNING] -= 1
        _write_span(spans, ended, heap[state[RUNNING]], first_decode, state[DECODED], prompt)
        ended += 1
    return ended


@kernel
def compose_steps(
    arrival: NDArray[np.float64],
    prompt: NDArray[np.int64],
    output: NDArray[np.int64],
    limits: NDArray[np.int64],
    seconds: NDArray[np.float64],
    until_s: float,
    state: NDArray[np.int64],
    clock: NDArray[np.float64],
    heap: NDArray[np.int64],
    time_s: NDArray[np.float64],
    phase: NDArray[np.uint8],
    tokens: NDArray[np.int64],
    sequences: NDArray[np.int64],
    spans: NDArray[np.int64],
    pieces: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Compose steps until ``time_s`` is full, ``until_s`` is reached or all requests are served.

    Parameters
    ----------
    arrival, prompt, output
        [requests] of the requests.
    limits
        [5] of the engine, see :data:`MOST` and those after it.
    seconds
        Of a prefill step and of a decode step.
    until_s
        Steps that start at or after it are left for the next call.
    state, clock
        Where the engine is; changed.
    heap
        [sequences, 3] running sequences, the one that ends first in front; changed.
    time_s, phase, tokens, sequences
        [steps] filled.
    spans, pieces
        Filled; see :class:`traces.workload.composition.Composition`. Steps end early where a step
        might not fit.

    Returns
    -------
    tuple
        Steps, spans and pieces that were written.
    """
    most = limits[MOST]
    first_decode = state[DECODED]
    step, span, piece = ZERO, ZERO, ZERO
    while step < len(time_s):
        if state[RUNNING] == 0 and state[DONE] == 0:  # idle: no step until the next request
            if state[NEXT] == len(arrival):
                break
            clock[0] = max(clock[0], arrival[state[NEXT]])
        now_s = clock[0]
        if now_s >= until_s or span + most > len(spans) or piece + most > len(pieces):
            break
        if not limits[PREFILLS]:
            while _waits(arrival, state[NEXT], state[RUNNING], most, now_s):
                _join(state, heap, output)
        waits = limits[PREFILLS] and _waits(arrival, state[NEXT], state[RUNNING], most, now_s)
        time_s[step] = now_s
        # both phases alternate while both have work
        if waits and (state[RUNNING] == 0 or state[LAST] == DECODE):
            phase[step] = PREFILL
            tokens[step], sequences[step] = _prefill_step(
                arrival, prompt, output, limits, now_s, state, heap, pieces[piece:], step
            )
            piece += sequences[step]
        else:
            phase[step] = DECODE
            tokens[step] = sequences[step] = state[RUNNING]
            span += _decode_step(state, heap, prompt, first_decode, spans[span:])
        state[LAST] = phase[step]
        clock[0] += seconds[phase[step]]
        step += 1
    for place in range(state[RUNNING]):  # those that go on have a span up to here
        if max(heap[place, JOINED], first_decode) < state[DECODED]:
            _write_span(spans, span, heap[place], first_decode, state[DECODED], prompt)
            span += 1
    state[STEPS] += step
    return step, span, piece

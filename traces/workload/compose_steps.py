"""The inner loop of continuous batching: from requests to spans of decode and pieces of prefill."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel

#: Places of the whole-number state: next request to admit, running sequences, decode steps so far,
#: tokens of the next request that are computed already, phase of the last step, steps so far.
NEXT, RUNNING, DECODED, DONE, LAST, STEPS = range(6)
#: Values of ``phase``: those of traces.header.PHASES.
PREFILL, DECODE = 0, 1
#: Columns of the heap of running sequences: decode step after its last, request, first decode step.
END, WHO, JOINED = range(3)


@kernel
def _before(heap: NDArray[np.int64], one: int, other: int) -> bool:
    # requests break ties, so that the order never depends on how the heap lies
    if heap[one, END] != heap[other, END]:
        return bool(heap[one, END] < heap[other, END])
    return bool(heap[one, WHO] < heap[other, WHO])


@kernel
def _swap(heap: NDArray[np.int64], one: int, other: int) -> None:
    for column in range(3):
        heap[one, column], heap[other, column] = heap[other, column], heap[one, column]


@kernel
def _push(heap: NDArray[np.int64], size: int, end: int, who: int, joined: int) -> None:
    heap[size, END] = end
    heap[size, WHO] = who
    heap[size, JOINED] = joined
    place = size
    while place > 0 and _before(heap, place, (place - 1) // 2):
        _swap(heap, place, (place - 1) // 2)
        place = (place - 1) // 2


@kernel
def _pop(heap: NDArray[np.int64], size: int) -> None:
    """Remove the first of ``size`` entries; it is left behind the others."""
    _swap(heap, 0, size - 1)
    size -= 1
    place = 0
    while True:
        least = place
        for child in (2 * place + 1, 2 * place + 2):
            if child < size and _before(heap, child, least):
                least = child
        if least == place:
            return
        _swap(heap, place, least)
        place = least


@kernel
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
        Most sequences, most tokens of a prefill step, and whether prompts may be cut, decode steps
        run, and prefill steps run.
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
    most, budget = limits[0], limits[1]
    chunked, decodes, prefills = limits[2] > 0, limits[3] > 0, limits[4] > 0
    requests = len(arrival)
    first_decode = state[DECODED]
    step = 0
    span = 0
    piece = 0
    while step < len(time_s):
        running = state[RUNNING]
        following = state[NEXT]
        if running == 0 and state[DONE] == 0:  # idle: no step until the next request
            if following == requests:
                break
            clock[0] = max(clock[0], arrival[following])
        if clock[0] >= until_s or span + most > len(spans) or piece + most > len(pieces):
            break
        if not prefills:
            while running < most and following < requests and arrival[following] <= clock[0]:
                end = state[DECODED] + output[following]
                _push(heap, running, end, following, state[DECODED])
                running += 1
                following += 1
        waits = following < requests and arrival[following] <= clock[0] and running < most
        time_s[step] = clock[0]
        if prefills and waits and not (running > 0 and state[LAST] == PREFILL):
            left = budget
            held = running
            used = 0
            done = state[DONE]
            while following < requests and arrival[following] <= clock[0] and held < most:
                wanted = prompt[following] - done
                if wanted > left and not chunked and used > 0:
                    break
                taken = min(wanted, left) if chunked else wanted
                if taken <= 0:
                    break
                pieces[piece, 0] = following
                pieces[piece, 1] = step
                pieces[piece, 2] = taken
                pieces[piece, 3] = done
                piece += 1
                used += 1
                left -= taken
                held += 1
                if taken < wanted:
                    done += taken
                    break
                done = 0
                if decodes:
                    end = state[DECODED] + output[following]
                    _push(heap, running, end, following, state[DECODED])
                    running += 1
                following += 1
            state[DONE] = done
            phase[step] = PREFILL
            tokens[step] = budget - left
            sequences[step] = used
        else:
            phase[step] = DECODE
            tokens[step] = running
            sequences[step] = running
            state[DECODED] += 1
            while running > 0 and heap[0, END] == state[DECODED]:
                _pop(heap, running)
                running -= 1
                _write_span(spans, span, heap[running], first_decode, state[DECODED], prompt)
                span += 1
        state[LAST] = phase[step]
        state[RUNNING] = running
        state[NEXT] = following
        clock[0] += seconds[phase[step]]
        step += 1
    for place in range(state[RUNNING]):
        if max(heap[place, JOINED], first_decode) < state[DECODED]:
            _write_span(spans, span, heap[place], first_decode, state[DECODED], prompt)
            span += 1
    state[STEPS] += step
    return step, span, piece

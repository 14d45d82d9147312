"""Count the tokens of each condition in each step of a composition."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel, part
from traces.workload.composition import DECODE, PREFILL, Composition


def tokens_by_condition(
    composition: Composition,
    conditions: Mapping[int, NDArray[np.int32]],
    edges: NDArray[np.float64],
    num_conditions: int,
) -> NDArray[np.int64]:
    """Return [steps, conditions] tokens.

    Parameters
    ----------
    composition
        Steps.
    conditions
        Phase, as in :data:`traces.header.PHASES`, to [requests, len(edges) + 1] condition of each
        request's tokens between the edges.
    edges
        Positions at which conditions change, rising.
    num_conditions
        Conditions.
    """
    tokens = np.zeros((composition.num_steps, num_conditions), dtype=np.int64)
    if len(composition.spans):
        steps = composition.decode_steps
        changes = np.zeros((len(steps) + 1, num_conditions), dtype=np.int64)
        _add_spans(changes, composition.spans, conditions[DECODE], edges)
        tokens[steps] = np.cumsum(changes[:-1], axis=0)
    if len(composition.pieces):
        _add_pieces(tokens, composition.pieces, conditions[PREFILL], edges)
    return tokens


def summed_tokens(
    composition: Composition,
    conditions: Mapping[int, NDArray[np.int32]],
    edges: NDArray[np.float64],
    num_conditions: int,
    chosen: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return [conditions] tokens of all steps, and [chosen, conditions] tokens of some of them.

    The same as sums and rows of :func:`tokens_by_condition`, without a row for every step.
    Parameters are those, and ``chosen``, the places of the steps, rising.
    """
    total = np.zeros(num_conditions, dtype=np.int64)
    rows = np.zeros((len(chosen), num_conditions), dtype=np.int64)
    if len(composition.spans):
        # a decode step for each chosen step; one of prefill has no decode step, here -1
        decode_step = np.where(
            composition.phase[chosen] == DECODE,
            np.searchsorted(composition.decode_steps, chosen),
            -1,
        )
        _sum_spans(total, rows, decode_step, composition.spans, conditions[DECODE], edges)
    if len(composition.pieces):
        row = np.full(composition.num_steps, -1, dtype=np.int64)
        row[chosen] = np.arange(len(chosen))
        _sum_pieces(total, rows, row, composition.pieces, conditions[PREFILL], edges)
    return total, rows


@part
def _stretch(edges: NDArray[np.float64], position: int) -> int:
    number = 0
    while number < len(edges) and edges[number] <= position:
        number += 1
    return number


@part
def _in_stretch(edges: NDArray[np.float64], number: int, position: int, left: int) -> int:
    """Return how many of the ``left`` tokens from ``position`` on lie before the next edge."""
    if number < len(edges):
        return min(left, int(np.ceil(edges[number])) - position)
    return left


@kernel
def _add_spans(
    changes: NDArray[np.int64],
    spans: NDArray[np.int64],
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
) -> None:
    """Add to ``changes`` [decode steps + 1, conditions] what each step has more than the last."""
    for row in range(len(spans)):
        request, step, left, position = spans[row]
        number = _stretch(edges, position)
        while left > 0:
            taken = _in_stretch(edges, number, position, left)
            changes[step, condition[request, number]] += 1
            changes[step + taken, condition[request, number]] -= 1
            step += taken
            position += taken
            left -= taken
            number += 1


@kernel
def _add_pieces(
    tokens: NDArray[np.int64],
    pieces: NDArray[np.int64],
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
) -> None:
    for row in range(len(pieces)):
        request, step, left, position = pieces[row]
        number = _stretch(edges, position)
        while left > 0:
            taken = _in_stretch(edges, number, position, left)
            tokens[step, condition[request, number]] += taken
            position += taken
            left -= taken
            number += 1


@kernel
def _sum_spans(
    total: NDArray[np.int64],
    rows: NDArray[np.int64],
    decode_step: NDArray[np.int64],
    spans: NDArray[np.int64],
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
) -> None:
    for span in range(len(spans)):
        request, step, left, position = spans[span]
        number = _stretch(edges, position)
        while left > 0:
            taken = _in_stretch(edges, number, position, left)
            of_request = condition[request, number]
            total[of_request] += taken
            for row in range(len(decode_step)):
                rows[row, of_request] += step <= decode_step[row] < step + taken
            step += taken
            position += taken
            left -= taken
            number += 1


@kernel
def _sum_pieces(
    total: NDArray[np.int64],
    rows: NDArray[np.int64],
    row: NDArray[np.int64],
    pieces: NDArray[np.int64],
    condition: NDArray[np.int32],
    edges: NDArray[np.float64],
) -> None:
    for piece in range(len(pieces)):
        request, step, left, position = pieces[piece]
        number = _stretch(edges, position)
        while left > 0:
            taken = _in_stretch(edges, number, position, left)
            of_request = condition[request, number]
            total[of_request] += taken
            if row[step] >= 0:
                rows[row[step], of_request] += taken
            position += taken
            left -= taken
            number += 1

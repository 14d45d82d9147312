"""Count the tokens of each condition in each step of a composition."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel
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


@kernel
def _stretch(edges: NDArray[np.float64], position: int) -> int:
    number = 0
    while number < len(edges) and edges[number] <= position:
        number += 1
    return number


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
            taken = left
            if number < len(edges):
                taken = min(left, int(np.ceil(edges[number])) - position)
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
            taken = left
            if number < len(edges):
                taken = min(left, int(np.ceil(edges[number])) - position)
            tokens[step, condition[request, number]] += taken
            position += taken
            left -= taken
            number += 1

"""Tokens to draw from, one by one or added up beforehand."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.made_tokens import made_tokens
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace

#: Tokens in a chunk that was added up beforehand; a step takes as many large ones as fit.
SIZES = (16, 128, 1024, 8192)
#: Chunks of a size, at least.
CHUNKS = 128
#: Draws held at once.
DRAWS = 2**20


@dataclass(frozen=True, eq=False)
class TokenPool:
    """Recorded tokens of a domain as the cells [layers * experts] of a step that they add to.

    Parameters
    ----------
    cells
        [tokens, layers * top_k] cell of each choice.
    chunks
        Size to the sums of that many tokens, [chunks, layers * experts].
    """

    cells: NDArray[Any]
    chunks: dict[int, NDArray[Any]]

    def add(
        self, counts: NDArray[np.int32], tokens: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Add ``tokens`` [steps] drawn tokens to each of ``counts`` [steps, layers * experts]."""
        left = tokens
        for size in sorted(self.chunks, reverse=True):
            self._draw(counts, left // size, self.chunks[size], _add_chunks, random)
            left = left % size
        self._draw(counts, left, self.cells, _add_tokens, random)

    @staticmethod
    def _draw(
        counts: NDArray[np.int32],
        draws: NDArray[np.int64],
        rows: NDArray[Any],
        add: Callable[..., None],
        random: np.random.Generator,
    ) -> None:
        ends = np.concatenate([[0], np.cumsum(draws)])
        for start in range(0, int(ends[-1]), DRAWS):
            part = np.clip(ends - start, 0, DRAWS)
            chosen = random.integers(len(rows), size=int(part[-1]))
            _compiled(add)(counts, rows, chosen, part)


def pool_of(trace: TokenTrace | RoutingTrace, seed: int, pooled: bool) -> TokenPool:
    """Return the pool of a recording, with chunks if ``pooled``."""
    ids = made_tokens(trace, seed) if isinstance(trace, RoutingTrace) else trace.experts
    width = trace.num_layers * trace.num_experts
    offsets = np.arange(trace.num_layers)[:, None] * trace.num_experts
    dtype = np.uint16 if width <= 2**16 else np.uint32
    cells = (ids + offsets).astype(dtype).reshape(len(ids), -1)
    random = np.random.default_rng([seed, 1])
    sizes = SIZES if pooled else ()
    return TokenPool(cells, {size: _chunks(cells, width, size, random) for size in sizes})


def _chunks(
    cells: NDArray[Any], width: int, size: int, random: np.random.Generator
) -> NDArray[Any]:
    """Add up chunks in which all tokens come equally often, but for less than a chunk of them."""
    rounds = -(-max(CHUNKS * size, len(cells)) // len(cells))
    order = random.permutation(np.tile(np.arange(len(cells)), rounds))
    number = max(1, len(order) // size)
    sums = np.zeros((number, width), dtype=np.int32)
    ends = np.minimum(np.arange(number + 1) * size, len(order))
    _compiled(_add_tokens)(sums, cells, order, ends)
    return sums.astype(np.uint8 if size < 2**8 else np.uint16)


def _add_tokens(
    counts: NDArray[np.int32],
    cells: NDArray[Any],
    chosen: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    for step in range(len(counts)):
        row = counts[step]
        for draw in range(ends[step], ends[step + 1]):
            token = cells[chosen[draw]]
            for choice in range(len(token)):
                row[token[choice]] += 1


def _add_chunks(
    counts: NDArray[np.int32],
    chunks: NDArray[Any],
    chosen: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> None:
    for step in range(len(counts)):
        row = counts[step]
        for draw in range(ends[step], ends[step + 1]):
            chunk = chunks[chosen[draw]]
            for cell in range(len(row)):
                row[cell] += chunk[cell]


@functools.cache
def _compiled(function: Callable[..., None]) -> Callable[..., None]:
    """Compile with numba, which is imported here and no sooner; cached on disk where possible."""
    import numba

    compiled: Callable[..., None]
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # a read-only image without a writable home leaves numba no place for its cache
        compiled = numba.njit(nogil=True)(function)
    return compiled

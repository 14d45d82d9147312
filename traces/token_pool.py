"""A pool of tokens to draw from, one by one or as sums of chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traces.lazy_kernel import lazy_kernel
from traces.routing import RoutingTrace
from traces.tokens import TokenTrace
from traces.tokens_from_counts import tokens_from_counts

#: Tokens in a chunk that was added up beforehand, and in none; a step takes the largest that fit.
SIZES = (8192, 1024, 128, 16, 1)
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
        [chunks, layers * experts] sums of several tokens, those of one size after the other.
    first
        [sizes + 1] first chunk of every size, and the end; one entry where there are no chunks.
    """

    cells: NDArray[Any]
    chunks: NDArray[np.uint16]
    first: NDArray[np.int64]

    def add(
        self, counts: NDArray[np.int32], tokens: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Add ``tokens`` [steps] drawn tokens to each of ``counts`` [steps, layers * experts]."""
        self._add(counts, self.draws(tokens), random)

    def draws(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return [steps, sizes] draws of each size that make ``tokens`` [steps]."""
        sizes = np.array(SIZES[-len(self.first) :])
        draws = tokens[:, None] // sizes
        # Each size takes what the larger ones leave.
        draws[:, 1:] -= draws[:, :-1] * (sizes[:-1] // sizes[1:])
        return draws

    def _add(
        self, counts: NDArray[np.int32], draws: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Add the draws of each size [steps, sizes], not too many at once."""
        total = int(draws.sum())
        if total <= DRAWS:
            self.add_drawn(counts, draws, random.random(total))
        elif len(draws) > 1:
            half = len(draws) // 2
            self._add(counts[:half], draws[:half], random)
            self._add(counts[half:], draws[half:], random)
        else:
            # A single step is split by draws: half of each size.
            part = draws // 2
            self._add(counts, part, random)
            self._add(counts, draws - part, random)

    def add_drawn(
        self, counts: NDArray[np.int32], draws: NDArray[np.int64], chance: NDArray[np.float64]
    ) -> None:
        """Add the draws of each size [steps, sizes]; each takes the next ``chance``, 0 to 1."""
        lazy_kernel(_add_draws)(counts, draws, chance, self.cells, self.chunks, self.first)


def pool_of(trace: TokenTrace | RoutingTrace, seed: int, pooled: bool) -> TokenPool:
    """Return the pool of a recording, with chunks if ``pooled``."""
    ids = tokens_from_counts(trace, seed) if isinstance(trace, RoutingTrace) else trace.experts
    width = trace.num_layers * trace.num_experts
    offsets = np.arange(trace.num_layers)[:, None] * trace.num_experts
    dtype = np.uint16 if width <= 2**16 else np.uint32
    cells = np.empty((len(ids), trace.num_layers * trace.top_k), dtype)
    np.add(ids, offsets, out=cells.reshape(ids.shape), casting="unsafe")
    del ids  # of a pool the most memory, but for the pool itself
    random = np.random.default_rng([seed, 1])
    return pool_of_cells(cells, width, SIZES[:-1] if pooled else (), random)


def pool_of_cells(
    cells: NDArray[Any], width: int, sizes: Sequence[int], random: np.random.Generator
) -> TokenPool:
    """Return the pool of tokens, with chunks of ``sizes``: the last of :data:`SIZES` but 1."""
    found = [_chunks(cells, width, size, random) for size in sizes]
    chunks = np.concatenate([np.zeros((0, width), dtype=np.uint16), *found])
    return TokenPool(cells, chunks, np.cumsum([0, *map(len, found)]))


def _chunks(
    cells: NDArray[Any], width: int, size: int, random: np.random.Generator
) -> NDArray[np.uint16]:
    """Add up chunks in which all tokens come equally often, but for less than a chunk of them."""
    # The recording is repeated until it fills enough chunks.
    rounds = -(-max(CHUNKS * size, len(cells)) // len(cells))
    order = random.permutation(np.tile(np.arange(len(cells)), rounds))
    number = len(order) // size
    sums = np.zeros((number, width), dtype=np.int32)
    lazy_kernel(_add_up)(sums, cells, order, size)
    return sums.astype(np.uint16)


# Kernels. A chance, 0 <= chance < 1, decides which row is drawn.


def _add_up(
    sums: NDArray[np.int32], cells: NDArray[Any], order: NDArray[np.int64], size: int
) -> None:
    for number in range(len(sums)):
        row = sums[number]
        for place in range(number * size, (number + 1) * size):
            token = cells[order[place]]
            for choice in range(len(token)):
                row[token[choice]] += 1


def _add_draws(
    counts: NDArray[np.int32],
    draws: NDArray[np.int64],
    chance: NDArray[np.float64],
    cells: NDArray[Any],
    chunks: NDArray[np.uint16],
    first: NDArray[np.int64],
) -> None:
    used = 0
    for step in range(len(counts)):
        row = counts[step]
        for size in range(len(first) - 1):
            for _ in range(draws[step, size]):
                number = first[size] + int(chance[used] * (first[size + 1] - first[size]))
                chunk = chunks[number]
                for cell in range(len(row)):
                    row[cell] += chunk[cell]
                used += 1
        for _ in range(draws[step, len(first) - 1]):
            token = cells[int(chance[used] * len(cells))]
            for choice in range(len(token)):
                row[token[choice]] += 1
            used += 1

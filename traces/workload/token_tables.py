"""Tokens drawn one by one from the chances of their condition, for steps of few tokens."""

import numpy as np
from numpy.typing import NDArray

from traces.generators.kernel import kernel
from traces.generators.random_bits import Bits, word

#: Cells of equal length, each with the first stretch that reaches into it.
CELLS = 256
#: Tokens of a condition that are drawn ahead. So the tables of a layer are read for all of them
#: before those of the next, which is several times faster than layer by layer for each token.
AHEAD = 64


class TokenTables:
    """Tables from which the experts of a token are read off with one random number.

    Systematic sampling (Madow, Ann. Math. Stat. 20, 1949): the experts of a layer lie end to end
    in a random order, each as long as its chance. A token takes those at ``top_k`` points that
    are a length of 1 apart. So its experts are distinct, and each is taken with its chance. Which
    are taken together depends on the order: an assumption, since chances leave it open.

    The first point decides all others. A table holds the stretches of first points with the same
    experts, at most one an expert. The table of a condition is made with its first token. Tokens
    are drawn ahead, and each is used once.

    Parameters
    ----------
    chance
        [layers, conditions, experts], each at most 1; each row adds up to ``top_k``.
    top_k
        Experts that a token chooses.
    random
        Draws the orders.
    """

    def __init__(
        self, chance: NDArray[np.float64], top_k: int, random: np.random.Generator
    ) -> None:
        layers, conditions, experts = chance.shape
        self._chance, self._top_k = chance, top_k
        self._order = random.permuted(np.tile(np.arange(experts), (layers, 1)), axis=1)
        self._made = np.zeros(conditions, dtype=bool)
        # memory is taken when it is written: conditions without tokens take none
        small = np.uint8 if experts <= 2**8 else np.uint16
        self._ends = np.empty((conditions, layers, experts), dtype=np.float32)
        self._first = np.empty((conditions, layers, CELLS), dtype=np.uint16)
        self._experts = np.empty((conditions, layers, experts, top_k), dtype=small)
        self._ahead = np.empty((conditions, AHEAD, layers, top_k), dtype=small)
        self._used = np.full(conditions, AHEAD)

    def draw(self, tokens: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int32]:
        """Return [layers, experts] counts of ``tokens`` [conditions]."""
        used = np.flatnonzero(tokens)
        for condition in used[~self._made[used]].tolist():
            self._make(condition)
        layers, _, experts = self._chance.shape
        counts = np.zeros((layers, experts), dtype=np.int32)
        key = np.uint64(random.integers(2**64, dtype=np.uint64))
        tables = (self._ends, self._first, self._experts)
        _draw(counts, used, tokens[used], self._ahead, self._used, *tables, key)
        return counts

    def _make(self, condition: int) -> None:
        lengths = np.take_along_axis(self._chance[:, condition], self._order, axis=1)
        upto = np.cumsum(lengths, axis=1)
        # rounding must not leave the last point beyond all experts, nor an end before the very end
        upto *= self._top_k / upto[:, -1:]
        upto[upto > self._top_k * (1 - 1e-12)] = self._top_k
        _fill(upto, self._order, self._experts[condition], self._ends[condition])
        starts = np.arange(CELLS, dtype=np.float32) / CELLS
        for layer, ends in enumerate(self._ends[condition]):
            self._first[condition, layer] = np.searchsorted(ends, starts, side="right")
        self._made[condition] = True


@kernel
def _fill(
    upto: NDArray[np.float64],
    order: NDArray[np.int64],
    taken: NDArray[np.uint8],
    ends: NDArray[np.float32],
) -> None:
    """Fill ``ends`` [layers, experts] of the stretches, and the experts ``taken`` in each."""
    layers, experts = upto.shape
    top_k = taken.shape[2]
    places = np.empty(top_k, np.int64)
    for layer in range(layers):
        row = upto[layer]
        for choice in range(top_k):
            places[choice] = min(np.searchsorted(row, choice, side="right"), experts - 1)
        # Where an expert ends, one point moves on to the next. At the very end none does.
        whole = np.floor(row)
        last = row >= top_k
        stretches = np.argsort(np.where(last, 1.0, row - whole), kind="mergesort")
        for number in range(experts):
            for choice in range(top_k):
                taken[layer, number, choice] = order[layer, places[choice]]
            expert = stretches[number]
            if last[expert]:
                ends[layer, number] = 1.0
                continue
            ends[layer, number] = row[expert] - whole[expert]
            point = np.int64(whole[expert])
            places[point] = max(places[point], expert + 1)


@kernel
def _look_up(
    ahead: NDArray[np.uint8],
    ends: NDArray[np.float32],
    first: NDArray[np.uint16],
    taken: NDArray[np.uint8],
    key: Bits,
    place: Bits,
) -> None:
    """Draw the tokens of ``ahead`` [tokens, layers, top_k], layer by layer."""
    tokens, layers, top_k = ahead.shape
    for layer in range(layers):
        for token in range(tokens):
            # 24 bits, so that float32 holds them below 1
            bits = word(key, place) >> np.uint64(40)
            place += np.uint64(1)
            point = np.float32(bits) * np.float32(2.0**-24)
            at = np.int64(first[layer, np.int64(bits >> np.uint64(16))])
            while ends[layer, at] <= point:
                at += 1
            for choice in range(top_k):
                ahead[token, layer, choice] = taken[layer, at, choice]


@kernel
def _draw(
    counts: NDArray[np.int32],
    conditions: NDArray[np.int64],
    tokens: NDArray[np.int64],
    ahead: NDArray[np.uint8],
    used: NDArray[np.int64],
    ends: NDArray[np.float32],
    first: NDArray[np.uint16],
    taken: NDArray[np.uint8],
    key: Bits,
) -> None:
    """Count tokens that are drawn ahead, and draw more where all are used."""
    layers, top_k = len(counts), taken.shape[3]
    place = np.uint64(0)
    for number in range(len(conditions)):
        condition = conditions[number]
        for _ in range(tokens[number]):
            if used[condition] == AHEAD:
                _look_up(
                    ahead[condition],
                    ends[condition],
                    first[condition],
                    taken[condition],
                    key,
                    place,
                )
                place += np.uint64(AHEAD * layers)
                used[condition] = 0
            token = ahead[condition, used[condition]]
            used[condition] += 1
            for layer in range(layers):
                for choice in range(top_k):
                    counts[layer, token[layer, choice]] += 1

"""Draw tokens that match recorded counts, for a recording without tokens."""

import numpy as np
from numpy.typing import NDArray

from traces.lazy_kernel import lazy_kernel
from traces.routing import RoutingTrace

#: Tokens made; an expert's share is met to half a token in as many.
TOKENS = 8192
#: Exchanges for each choice of a token, after which who goes with whom is forgotten.
ROUNDS = 4


def tokens_from_counts(trace: RoutingTrace, seed: int) -> NDArray[np.int32]:
    """Return tokens that choose experts as often as the trace does, [tokens, layers, top_k].

    The choices of a token in a layer are different experts; nothing else ties choices together,
    in a layer or between layers, since counts do not tell (an assumption of ours).

    Raises
    ------
    ValueError
        If a layer has no counts, or an expert more than one in ``top_k`` of all choices.
    """
    random = np.random.default_rng(seed)
    totals = trace.counts.sum(axis=0, dtype=np.int64)
    tokens = np.empty((TOKENS, len(totals), trace.top_k), dtype=np.int32)
    for layer, counts in enumerate(totals):
        tokens[:, layer] = _layer(counts, trace.top_k, layer, random)
    return tokens


def _layer(
    counts: NDArray[np.int64], top_k: int, layer: int, random: np.random.Generator
) -> NDArray[np.int64]:
    times = _times(counts, top_k, layer)
    # an expert's entries lie side by side and are no more than the tokens, so that dealing them
    # out token by token gives no token one twice
    order = random.permutation(len(counts))
    tokens = np.repeat(order, times[order]).reshape(top_k, TOKENS).T.copy()
    tokens = tokens[random.permutation(TOKENS)]
    # Dealing out puts the same experts together again and again: random exchanges undo that.
    half = TOKENS // 2
    for _ in range(ROUNDS * top_k):
        pair = random.permutation(TOKENS).reshape(2, half)
        place = random.integers(top_k, size=(2, half))
        lazy_kernel(_exchange)(tokens, pair, place)
    return tokens


def _exchange(tokens: NDArray[np.int64], pair: NDArray[np.int64], place: NDArray[np.int64]) -> None:
    """Let pairs of tokens exchange a choice, unless one of the two would choose an expert twice."""
    for at in range(pair.shape[1]):
        one, other = tokens[pair[0, at]], tokens[pair[1, at]]
        left, right = one[place[0, at]], other[place[1, at]]
        twice = False
        for choice in range(len(one)):
            twice |= one[choice] == right or other[choice] == left
        if not twice:
            one[place[0, at]], other[place[1, at]] = right, left


def _times(counts: NDArray[np.int64], top_k: int, layer: int) -> NDArray[np.int64]:
    """Return how often each expert is chosen by ``TOKENS`` tokens, rounded so that it adds up."""
    total = int(counts.sum())
    if total == 0:
        raise ValueError(f"layer {layer} has no counts in any step; its law is not known")
    if counts.max() * top_k > total:
        expert = int(np.argmax(counts))
        raise ValueError(
            f"expert {expert} of layer {layer} has {counts[expert]} of {total} choices, more than "
            f"one in top_k = {top_k}; a token chooses an expert once: correct top_k or the counts"
        )
    # Largest remainders get what rounding down left.
    wanted = counts * (TOKENS * top_k / total)
    times = np.floor(wanted).astype(np.int64)
    missing = TOKENS * top_k - int(times.sum())
    # full ones come last: their fraction is 0 but for rounding errors
    by_fraction = np.lexsort((-(wanted - times), times >= TOKENS))
    times[by_fraction[:missing]] += 1
    return times

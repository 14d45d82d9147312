"""Dispatch and combine of a step in closed form, and by the links where these can decide."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware import Collectives
from lb.kernel import kernel

Array = NDArray[np.float64]

#: Token copies that slopes are measured over.
MANY = 1e6


class ExchangePrice:
    """Seconds of dispatch and combine from the tokens of ranks, as :class:`hardware.Collectives`.

    What ranks pull is linear in the fullest rank's tokens (dispatch) and in the mean rank's
    (combine). Links that cannot be slower than that, whatever the tokens, are left out once and
    for all; the others are looked at in every layer. Both are exact. Without a library the links
    alone decide, and the collectives are asked as they are.

    Parameters
    ----------
    collectives
        Library, fabric, and whether links contend.
    """

    def __init__(self, collectives: Collectives) -> None:
        self._collectives = collectives
        ranks = collectives.fabric.num_ranks
        quiet = replace(collectives, contention=False)
        many = np.full(ranks, MANY)
        self._setup = [float(price(0 * many)) for price in (quiet.dispatch_s, quiet.combine_s)]
        pulled = [float(price(many)) for price in (quiet.dispatch_s, quiet.combine_s)]
        self._pull = [(s - setup) / MANY for s, setup in zip(pulled, self._setup, strict=True)]
        self._closed = collectives.library is not None or not collectives.contention
        none = np.zeros((0, ranks))
        self._links = [_rows(none), _rows(none)]
        if collectives.contention and self._closed:
            inbound, outbound = collectives.fabric.even_operators
            inbound = inbound * collectives.dispatch_bytes
            outbound = outbound * collectives.combine_bytes
            # at most the fullest rank's tokens on every rank; at most all tokens on one rank
            self._links = [
                _rows(inbound[inbound.sum(axis=1) > self._pull[0]]),
                _rows(outbound[outbound.max(axis=1) * ranks > self._pull[1]]),
            ]

    def __call__(self, tokens: Array, rank_tokens: Array, slowdown: float) -> float:
        """Return seconds of one layer's dispatch and combine, as the mean over the layers.

        Parameters
        ----------
        tokens
            [2, layers] token copies of the fullest rank, and of the mean one.
        rank_tokens
            [layers, ranks] token copies.
        slowdown
            What multiplies all but the setup.
        """
        if not self._closed:
            dispatch = self._collectives.dispatch_s(rank_tokens)
            combine = self._collectives.combine_s(rank_tokens)
            return slowdown * float(dispatch.mean() + combine.mean())
        data = 0.0
        for number in (0, 1):
            data += _mean_data(
                tokens[number], self._pull[number], rank_tokens, *self._links[number]
            )
        return self._setup[0] + self._setup[1] + slowdown * data


def _rows(links: Array) -> tuple[Array, NDArray[np.int64], NDArray[np.int64], Array]:
    """Return [ranks] the slowest link of one rank alone, and the others' entries, row by row."""
    several = (links > 0).sum(axis=1) > 1
    alone = links[~several].max(axis=0, initial=0.0)
    row, rank = np.nonzero(links[several])
    first = np.searchsorted(row, np.arange(several.sum() + 1))
    return alone, first.astype(np.int64), rank, links[several][row, rank]


@kernel
def _mean_data(
    tokens: Array,
    pull: float,
    rank_tokens: Array,
    alone: Array,
    first: NDArray[np.int64],
    rank: NDArray[np.int64],
    seconds: Array,
) -> float:
    """Return the mean over layers of the longer of pulling and the fullest link."""
    layers, ranks = rank_tokens.shape
    worst = alone.max()
    total: float = 0.0
    for layer in range(layers):
        busiest = pull * tokens[layer]
        if worst > 0.0:
            for source in range(ranks):
                busiest = max(busiest, alone[source] * rank_tokens[layer, source])
        for link in range(len(first) - 1):
            busy = 0.0
            for entry in range(first[link], first[link + 1]):
                busy += seconds[entry] * rank_tokens[layer, rank[entry]]
            busiest = max(busiest, busy)
        total += busiest
    mean: float = total / layers
    return mean

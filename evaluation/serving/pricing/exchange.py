"""Dispatch and combine of a step: in closed form, and by links where a link can be slower."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware import Collectives
from lb.kernel import kernel

Array = NDArray[np.float64]

#: Token copies that slopes are measured over.
MANY = 1e6


class ExchangePrice:
    """Seconds of dispatch and combine, equal to :class:`hardware.Collectives` but faster.

    The time in which ranks pull is linear in the tokens of the fullest rank (dispatch) and of the
    mean rank (combine). A link takes longer than that only if it can be the bottleneck. Links that
    never can, whatever the tokens, are left out here once. The others are compared in every layer.
    Both are exact. Without a library only the links decide, and the collectives themselves answer.

    Parameters
    ----------
    collectives
        Library, fabric, and whether links contend.
    """

    def __init__(self, collectives: Collectives) -> None:
        self._collectives = collectives
        ranks = collectives.fabric.num_ranks
        quiet = replace(collectives, contention=False)
        # Pulling is setup + slope × tokens: two calls per direction give both coefficients.
        many = np.full(ranks, MANY)
        self._setup = [quiet.setup_s(name) for name in ("dispatch", "combine")]
        pulled = [float(price(many)) for price in (quiet.dispatch_s, quiet.combine_s)]
        self._pull = [(s - setup) / MANY for s, setup in zip(pulled, self._setup, strict=True)]
        self._closed = collectives.library is not None or not collectives.contention
        none = np.zeros((0, ranks))
        self._links = [_rows(none), _rows(none)]
        if collectives.contention and self._closed:
            inbound, outbound = collectives.fabric.even_operators
            inbound = inbound * collectives.dispatch_bytes
            outbound = outbound * collectives.combine_bytes
            # Dispatch: each rank has at most the fullest rank's tokens, so a link carries at most
            # the sum of its row. Combine: all tokens lie on one rank at worst, that is `ranks`
            # times the mean, so a link carries at most its largest entry times that.
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
    """Return links in two groups: those of one rank alone, and those that several ranks share.

    Of the links that only one rank uses, only the slowest of each rank can decide: [ranks] seconds
    a token, 0 for none. Shared links are stored sparsely, row after row, since most ranks do not
    use them: [shared links + 1] first entry of each, [entries] ranks, [entries] seconds a token.
    """
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

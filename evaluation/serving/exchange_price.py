"""Dispatch and combine of a step in closed form, and by the links where these can decide."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hardware import Collectives

Array = NDArray[np.float64]

#: Token copies that slopes are measured over.
MANY = 1e6


class ExchangePrice:
    """Seconds of dispatch and combine from the tokens of ranks, as :class:`hardware.Collectives`.

    What ranks pull is linear in the fullest rank's tokens (dispatch) and in the mean rank's
    (combine). The links are no slower than if every rank had as many as the fullest; where that
    bound is below what ranks pull, the closed form is exact, and elsewhere the links are asked.

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
        self._link = [0.0, 0.0]
        if collectives.contention:
            sizes = (collectives.dispatch_bytes, collectives.combine_bytes)
            self._link = [
                float(collectives.fabric.even_exchange(many * size, inbound=into, latency=False))
                / MANY
                for size, into in zip(sizes, (True, False), strict=True)
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
        fullest, mean = tokens
        setup = self._setup[0] + self._setup[1]
        if self._link[0] > self._pull[0]:
            dispatch = self._collectives.dispatch_s(rank_tokens).mean() - self._setup[0]
        else:
            dispatch = self._pull[0] * fullest.mean()
        combine = self._pull[1] * mean
        contended = self._link[1] * fullest > combine
        if self._link[1] and contended.any():
            combine[contended] = (
                self._collectives.combine_s(rank_tokens[contended]) - self._setup[1]
            )
        return setup + slowdown * float(dispatch + combine.mean())

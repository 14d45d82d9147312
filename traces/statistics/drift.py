"""Change of loads from window to window, from a stream of windows."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from traces.statistics.known import known_ratio
from traces.statistics.skew import shares

Array = NDArray[np.float64]

#: Added to a count before its logarithm, so that 0 has one; the usual half a count.
HALF = 0.5


def log_loads(load: Array) -> Array:
    """Return log(load + 1/2) less its mean over the experts, NaN where a layer has no load."""
    logarithm = np.log(load + HALF)
    logarithm -= logarithm.mean(axis=-1, keepdims=True)
    logarithm[load.sum(axis=-1) == 0] = np.nan
    return logarithm


class Drift:
    """Statistics over windows that come one by one; only the last few are held.

    Parameters
    ----------
    layers, experts, top_k
        Of the trace.
    lags
        Windows apart, rising.
    """

    def __init__(self, layers: int, experts: int, top_k: int, lags: tuple[int, ...]) -> None:
        self.lags, self.top_k = lags, top_k
        self._loads: Array | None = None
        self._logs: deque[Array] = deque(maxlen=max(lags, default=1))
        self._changed = np.zeros((2, layers))  # distance, and what drawing tokens brings
        self._changes = np.zeros(layers)
        self._alike = np.zeros((len(lags), layers))
        self._alikes = np.zeros((len(lags), layers))
        self._sum, self._squares = np.zeros((2, layers, experts))
        self._windows = np.zeros(layers)
        # for each lag: products, the earlier and the later values of all pairs
        self._pairs = np.zeros((len(lags), 3, layers, experts))
        self._pair_count = np.zeros((len(lags), layers))

    def add(self, load: Array) -> None:
        """Add the next window, [layers, experts] tokens; a layer may be without any."""
        if self._loads is not None:
            self._compare(self._loads, load)
        logarithm = log_loads(load)
        for number, lag in enumerate(self.lags):
            if len(self._logs) >= lag:
                self._pair(number, self._logs[-lag], logarithm)
        there = ~np.isnan(logarithm[:, 0])
        value = np.where(there[:, None], logarithm, 0.0)
        self._windows += there
        self._sum += value
        self._squares += value**2
        self._loads = load
        self._logs.append(logarithm)

    def _compare(self, before: Array, after: Array) -> None:
        totals = before.sum(axis=1), after.sum(axis=1)
        both = (totals[0] > 0) & (totals[1] > 0)
        if not both.any():
            return
        before, after = before[both], after[both]
        self._changed[0, both] += np.abs(shares(before) - shares(after)).sum(axis=1) / 2
        self._changed[1, both] += self._by_chance(before, after)
        self._changes += both

    def _by_chance(self, before: Array, after: Array) -> Array:
        # The two windows together say best what share an expert has.
        share = shares(before + after)
        once = 1 / before.sum(axis=1, keepdims=True) + 1 / after.sum(axis=1, keepdims=True)
        variance = share * np.clip(1 - self.top_k * share, 0, None) * once
        # Mean of the absolute value of a normal number.
        found: Array = np.minimum(2 * share, np.sqrt(2 / np.pi * variance)).sum(axis=1) / 2
        return found

    def _pair(self, number: int, before: Array, after: Array) -> None:
        there = ~np.isnan(before[:, 0]) & ~np.isnan(after[:, 0])
        one, other = np.where(there[:, None], (before, after), 0.0)
        self._pairs[number] += (one * other, one, other)
        self._pair_count[number] += there
        spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        alike = spread > 0
        self._alike[number, alike] += (one * other).sum(axis=1)[alike] / spread[alike]
        self._alikes[number] += alike

    @property
    def distance(self) -> Array:
        """[layers] mean drift between neighbouring windows: half the sum of |p − q|.

        p and q are the experts' shares. It is 1 less their overlap: the Bray–Curtis dissimilarity
        of the shares (Bray and Curtis, Ecological Monographs 27, 1957), which is then the total
        variation distance; the part of the load that would have to change experts.
        """
        return known_ratio(self._changed[0], self._changes)

    @property
    def distance_by_chance(self) -> Array:
        """[layers] the drift that windows of one and the same law would show.

        Tokens being independent, a share p of a window with C choices has variance p (1 − k p) / C;
        the difference of two is taken as normal, at most 2 p.
        """
        return known_ratio(self._changed[1], self._changes)

    @property
    def persistence(self) -> Array:
        """[lags, layers] mean correlation over experts of the log loads of windows ``lag`` apart.

        What is popular in general counts as much as what is so for a while.
        """
        return known_ratio(self._alike, self._alikes)

    @property
    def autocorrelation(self) -> Array:
        """[lags, layers] autocorrelation of each expert's log load about its own mean.

        Covariances at the lag over variances, each averaged over its windows and summed over
        the experts. As of any short series it is too low, by about 1 / windows.
        """
        mean = known_ratio(self._sum, self._windows[:, None])
        variance = known_ratio(self._squares, self._windows[:, None]) - mean**2
        product, earlier, later = np.moveaxis(self._pairs, 1, 0)
        count = self._pair_count[:, :, None]
        # About the overall mean, from sums that were gathered before it was known.
        covariance = known_ratio(product - mean * (earlier + later), count) + mean**2
        total = variance.sum(axis=1)
        total = np.where(total > 1e-12, total, 0.0)  # rounding is no variance
        return known_ratio(covariance.sum(axis=2), np.broadcast_to(total, covariance.shape[:2]))

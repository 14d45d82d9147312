"""Autoregressive: log loads return to their mean at the rate that was observed."""

import numpy as np
from numpy.typing import NDArray

from lb.forecasters.log_load import floor_of, load_of_logs, log_load
from lb.forecasters.windows import checked_windows


def autoregressive(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last window's log loads, shrunk by a coefficient of each layer.

    A first-order autoregressive process ``x[t+1] = b x[t] + noise`` on the log loads less their
    mean over the layer. The coefficient, held within 0 <= b <= 1, is the least-squares one, pooled
    over the experts of a layer and all pairs of consecutive windows; a pair weighs the inverse of
    its mean squared change, so that one shift of the traffic does not outvote calm windows. The
    layer's tokens are those of the last window. One window is returned as it is.

    Raises
    ------
    ValueError
        If the load is not [windows, layers, experts], finite and not negative.
    """
    windows = checked_windows(load)
    if len(windows) == 1:
        return windows[0].copy()
    floor = floor_of(windows)
    logs = log_load(windows, floor)
    coefficient = _coefficient(logs[:-1], logs[1:])
    total = windows[-1].sum(axis=1, keepdims=True)
    return load_of_logs(coefficient[:, None] * logs[-1], floor, total)


def _coefficient(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pooled coefficient of each layer, [layers]; 1 where nothing is to be seen."""
    # [pairs of windows, layers]
    change = ((after - before) ** 2).mean(axis=2)
    # pairs that hardly differ weigh alike, so that no pair alone decides
    typical = np.median(change, axis=0)
    weight = 1 / np.maximum(change, 1e-3 * np.where(typical > 0, typical, 1.0))
    product = (weight * (after * before).mean(axis=2)).sum(axis=0)
    square = (weight * (before * before).mean(axis=2)).sum(axis=0)
    ratio = np.divide(product, square, out=np.ones_like(square), where=square > 0)
    # a history that stands still says 1, not 1 less a rounding error
    ratio[change.max(axis=0) <= 1e-24] = 1.0
    return np.clip(ratio, 0.0, 1.0)

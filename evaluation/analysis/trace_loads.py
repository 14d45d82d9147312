"""The loads of a routing trace as its picture shows them: relative to the mean of the layer."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traces.statistics import Summary
from traces.statistics.skew import shares

Array = NDArray[np.float64]

#: Experts whose load over time is shown.
HEAVIEST = 24


class LoadOverTime(NamedTuple):
    """Loads of the heaviest experts over time.

    Parameters
    ----------
    experts
        (layer, expert) of each row.
    load
        [experts, bins] load over the mean of the layer in that bin of windows.
    """

    experts: list[tuple[int, int]]
    load: Array


def relative_load(summary: Summary) -> Array:
    """Return [layers, experts] load over the mean of the layer; NaN where a layer has no load."""
    return shares(summary.load) * summary.experts


def heaviest_over_time(summary: Summary) -> LoadOverTime:
    """Return the loads over time of the experts that are heaviest in the whole trace.

    At most :data:`HEAVIEST` experts and at most half of all are taken, the heaviest first.
    """
    relative = relative_load(summary)
    rows = min(HEAVIEST, -(-relative.size // 2))
    order = np.argsort(-np.nan_to_num(relative), axis=None, kind="stable")[:rows]
    layer, expert = np.unravel_index(order, relative.shape)
    over_time = shares(summary.timeline) * summary.experts
    experts = list(zip(layer.tolist(), expert.tolist(), strict=True))
    return LoadOverTime(experts, over_time[:, layer, expert].T)


def sorted_load(summary: Summary) -> Array:
    """Return [experts] load over the mean, heaviest first, averaged over layers that have load."""
    loaded = relative_load(summary)[summary.load.sum(axis=1) > 0]
    if not len(loaded):
        return np.zeros(summary.experts)
    mean: Array = np.sort(loaded, axis=1)[:, ::-1].mean(axis=0)
    return mean

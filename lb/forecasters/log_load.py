"""Conversion of loads to logarithms, in which drift is additive, and back."""

import numpy as np
from numpy.typing import NDArray

#: Of a layer's mean load, added to every load: an idle expert has a logarithm too. An assumption
#: of ours: experts far below the mean decide nothing, and their counts are mostly noise.
FLOOR = 0.05


def floor_of(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is added to the loads [windows, layers, experts] of each layer, [layers, 1]."""
    floor = FLOOR * windows.mean(axis=(0, 2))[:, None]
    return np.where(floor > 0, floor, 1.0)  # an idle layer is uniform


def log_load(load: NDArray[np.float64], floor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of ``load`` [..., layers, experts], less their mean over the layer."""
    logs = np.log(load + floor)
    centred: NDArray[np.float64] = logs - logs.mean(axis=-1, keepdims=True)
    return centred


def load_of_logs(
    logs: NDArray[np.float64], floor: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return loads [layers, experts] in proportion to the exponentials of ``logs``.

    Each layer's ``total`` [layers, 1] is kept but for what falls below 0 when the floor is taken
    off again, which is held at 0.
    """
    shape = np.exp(logs - logs.max(axis=1, keepdims=True))
    shape *= (total + floor * logs.shape[1]) / shape.sum(axis=1, keepdims=True)
    return np.maximum(shape - floor, 0.0)

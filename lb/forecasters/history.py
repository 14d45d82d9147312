"""Training history of a forecaster: an array of windows, or a trace read chunk by chunk."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.forecasters.windows import checked_windows


def windows_of(history: Any, window_steps: int = 1) -> Iterator[NDArray[np.float64]]:
    """Yield the load [layers, experts] of each whole window, oldest first.

    Parameters
    ----------
    history
        [steps, layers, experts], or anything whose ``blocks()`` have such ``counts``: a trace in
        memory or on disk, which is never held as a whole.
    window_steps
        Steps of one window; an incomplete last window is left out.

    Raises
    ------
    ValueError
        If the history is no such thing.
    """
    size = checked_integer(window_steps, "window_steps", at_least=1)
    steps = 0
    for counts in _blocks(history):
        for step in counts:
            if steps % size == 0:
                window = np.zeros(step.shape)
            window += step
            steps += 1
            if steps % size == 0:
                yield window


def history_of(history: Any, window_steps: int = 1) -> NDArray[np.float64]:
    """Return all whole windows [windows, layers, experts]; parameters as :func:`windows_of`.

    Raises
    ------
    ValueError
        As :func:`windows_of`, and if the history ends before one window is whole.
    """
    windows = list(windows_of(history, window_steps))
    if not windows:
        raise ValueError(f"the history has no window of {window_steps} steps; give fewer steps")
    return np.stack(windows)


def _blocks(history: Any) -> Iterator[NDArray[np.float64]]:
    if not hasattr(history, "blocks"):
        yield checked_windows(history)
        return
    for block in history.blocks():
        yield checked_windows(block.counts)

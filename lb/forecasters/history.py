"""What a fit learns from: an array of windows, or a trace read piece by piece."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lb.checked import checked_integer
from lb.forecasters.windows import checked_windows


def history_of(history: Any, window_steps: int = 1) -> NDArray[np.float64]:
    """Return the loads of all whole windows, oldest first.

    Parameters
    ----------
    history
        [steps, layers, experts], or anything whose ``blocks()`` have such ``counts``: a trace in
        memory or on disk, which is never held as a whole.
    window_steps
        Steps of one window; an incomplete last window is left out.

    Returns
    -------
    ndarray
        [windows, layers, experts].

    Raises
    ------
    ValueError
        If the history is no such thing, or ends before one window is whole.
    """
    size = checked_integer(window_steps, "window_steps", at_least=1)
    windows: list[NDArray[np.float64]] = []
    steps = 0
    for counts in _blocks(history):
        for step in counts:
            if steps % size == 0:
                windows.append(np.zeros(counts.shape[1:]))
            windows[-1] += step
            steps += 1
    if steps < size:
        raise ValueError(f"window_steps = {size} > {steps} steps of the history; give fewer")
    return np.stack(windows[: steps // size])


def _blocks(history: Any) -> Iterator[NDArray[np.float64]]:
    if not hasattr(history, "blocks"):
        yield checked_windows(history)
        return
    for block in history.blocks():
        yield checked_windows(block.counts)

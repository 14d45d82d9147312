"""Windows of a routing trace: blocks of steps, one after another."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def windows(trace: Any, size: int) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int64]]]:
    """Yield counts [steps, layers, experts] and tokens [steps] of each complete window.

    Parameters
    ----------
    trace
        Any object with ``blocks()`` of routing counts: a trace in memory or on disk.
    size
        Steps of a window. An incomplete last window is left out.

    Raises
    ------
    ValueError
        If ``size`` is below 1.
    """
    if size < 1:
        raise ValueError(f"window_steps = {size} < 1; a window has at least one step")
    counts: list[NDArray[np.int32]] = []
    tokens: list[int] = []
    # A window may span blocks, and a block may hold several windows.
    for block in trace.blocks():
        for step in range(block.num_steps):
            counts.append(block.counts[step])
            tokens.append(int(block.step_tokens[step]))
            if len(counts) == size:
                yield np.stack(counts), np.array(tokens)
                counts, tokens = [], []


def window_at(
    trace: Any, window_steps: int, step: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """Return the load of the first window, and counts and tokens of one step after it.

    Parameters
    ----------
    trace
        As in :func:`windows`.
    window_steps
        Steps of a window.
    step
        Number of the step after the first window, from 0.

    Raises
    ------
    ValueError
        If the trace ends before that step.
    """
    first_load: NDArray[np.int64] | None = None
    steps_before = 0
    for counts, tokens in windows(trace, window_steps):
        if first_load is None:
            first_load = counts.sum(axis=0, dtype=np.int64)
        elif step < steps_before + len(counts):
            return first_load, counts[step - steps_before], int(tokens[step - steps_before])
        else:
            steps_before += len(counts)
    raise ValueError(
        f"step = {step} breaks step < {steps_before}, the steps after the first window"
    )

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

"""The window that a placement is fitted on, and the steps after it that judge placements."""

from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Observed(NamedTuple):
    """A trace cut in two; see :func:`observe`."""

    seen: NDArray[np.int64]
    counts: NDArray[np.int32]
    tokens: NDArray[np.int64]


def observe(trace: Any, window_steps: int, most_steps: int | None = None) -> Observed:
    """Cut a trace into its first window and the steps after it.

    Parameters
    ----------
    trace
        Anything with ``blocks()`` of routing counts: a trace in memory or on disk. It is read
        only as far as it is needed.
    window_steps
        Steps of the window.
    most_steps
        Steps to take after the window, if there are so many; ``None``: all.

    Returns
    -------
    Observed
        ``seen`` [layers, experts] tokens of the window; ``counts`` [steps, layers, experts] and
        ``tokens`` [steps] of the steps after it.

    Raises
    ------
    ValueError
        If ``window_steps`` or ``most_steps`` is below 1, or no step follows the window.
    """
    for name, value in (("window_steps", window_steps), ("steps", most_steps)):
        if value is not None and value < 1:
            raise ValueError(f"{name} = {value} < 1; give at least one step")
    steps = (
        (block.counts[step], int(block.step_tokens[step]))
        for block in trace.blocks()
        for step in range(block.num_steps)
    )
    window = [counts for counts, _ in islice(steps, window_steps)]
    judged = list(islice(steps, most_steps))
    if not judged:
        raise ValueError(
            f"the trace has {len(window)} steps and window_steps = {window_steps}: no step is "
            "left to judge; give a smaller window, fewer tokens a step or a longer trace"
        )
    counts = np.stack([step for step, _ in judged])
    seen = np.asarray(np.sum(window, axis=0, dtype=np.int64))
    return Observed(seen, counts, np.array([tokens for _, tokens in judged], dtype=np.int64))

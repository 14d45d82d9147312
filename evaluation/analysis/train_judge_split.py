"""A trace cut in two: the window that a placement is fitted on, and the steps that judge it."""

from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class TrainJudgeSplit(NamedTuple):
    """A trace cut by :func:`split_trace`.

    Parameters
    ----------
    train_load
        [layers, experts] tokens of the first window.
    judge_counts
        [steps, layers, experts] token copies of the steps after it.
    judge_tokens
        [steps] tokens of these steps.
    """

    train_load: NDArray[np.int64]
    judge_counts: NDArray[np.int32]
    judge_tokens: NDArray[np.int64]


def split_trace(trace: Any, window_steps: int, most_steps: int | None = None) -> TrainJudgeSplit:
    """Cut a trace into its first window and the steps after it.

    Parameters
    ----------
    trace
        A trace in memory or on disk, with ``blocks()`` of routing counts. It is read only as far
        as needed.
    window_steps
        Number of steps in the window.
    most_steps
        Largest number of steps to take after the window; ``None`` for all.

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
    judge = list(islice(steps, most_steps))
    if not judge:
        raise ValueError(
            f"the trace has {len(window)} steps and window_steps = {window_steps}: no step is "
            "left to judge; give a smaller window, fewer tokens a step or a longer trace"
        )
    return TrainJudgeSplit(
        np.asarray(np.sum(window, axis=0, dtype=np.int64)),
        np.stack([counts for counts, _ in judge]),
        np.array([tokens for _, tokens in judge], dtype=np.int64),
    )

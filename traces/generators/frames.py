"""Split a recording into at most 512 frames of equally many steps, in bounded memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from traces.header import checked_integer

if TYPE_CHECKING:
    from traces.routing import RoutingTrace

MOST_FRAMES = 512


@dataclass
class Frames:
    """Consecutive stretches of a recording.

    Parameters
    ----------
    counts
        [frames, layers, experts] summed.
    tokens
        [frames] tokens of each.
    steps
        Steps of each frame.
    first
        [frames] first step of each; idle ones are left out.
    step_tokens
        [recorded steps] tokens of every step.
    model, top_k, phase
        Of the recording.
    """

    counts: NDArray[np.int64]
    tokens: NDArray[np.int64]
    steps: int
    first: NDArray[np.int64]
    step_tokens: NDArray[np.int64]
    model: str
    top_k: int
    phase: str

    @property
    def chance(self) -> NDArray[np.float64]:
        """[frames, layers, experts] shares of the tokens; each layer adds up to top_k."""
        whole = self.counts.sum(axis=2, keepdims=True)
        return self.counts * (self.top_k / np.maximum(whole, 1))


def frames_of(trace: Any, steps: int | None = None, most: int | None = None) -> Frames:
    """Return the frames of a trace in memory or on disk, which must be in steps.

    Parameters
    ----------
    trace
        Anything with ``blocks()`` of routing counts.
    steps
        Steps of a frame; by default as few as make at most 512 frames.
    most
        Frames of that many steps to read at most, from the beginning.

    Raises
    ------
    ValueError
        If a frame has less than one step, or fewer than two frames with tokens are found.
    """
    size = 1 if steps is None else checked_integer(steps, "steps of a frame")
    if size < 1:
        raise ValueError(f"steps of a frame = {size} < 1; give at least 1")
    kept: list[NDArray[np.int64]] = []
    tokens: list[NDArray[np.int64]] = []
    open_steps = 0
    block: RoutingTrace | None = None
    for block in trace.blocks():
        assert block.step_tokens is not None
        tokens.append(block.step_tokens)
        for step in block.counts:
            if open_steps == 0 and len(kept) == most:
                break
            if open_steps == 0:
                kept.append(np.zeros(step.shape, np.int64))
            kept[-1] += step
            open_steps = (open_steps + 1) % size
            # Bounded memory: with twice too many frames, neighbours are added up.
            if steps is None and open_steps == 0 and len(kept) == 2 * MOST_FRAMES:
                kept = [a + b for a, b in zip(kept[::2], kept[1::2], strict=True)]
                size *= 2
        if open_steps == 0 and len(kept) == most:
            break
    # The last frame has too few steps.
    if open_steps:
        kept.pop()
    if steps is None and len(kept) > MOST_FRAMES:
        even = len(kept) // 2 * 2
        kept = [a + b for a, b in zip(kept[:even:2], kept[1:even:2], strict=True)]
        size *= 2
    if block is None or len(kept) < 2:
        raise ValueError(
            f"the trace has {len(kept)} frames of {size} steps; give at least two, or fewer steps"
        )
    every = np.concatenate(tokens)
    whole = every[: len(kept) * size].reshape(len(kept), size).sum(axis=1)
    busy = whole > 0
    if busy.sum() < 2:
        raise ValueError("fewer than two frames of the trace have tokens; give a busier stretch")
    about = block.model, block.top_k, block.phase
    return Frames(
        np.stack(kept)[busy], whole[busy], size, np.flatnonzero(busy) * size, every, *about
    )

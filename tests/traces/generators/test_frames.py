"""Recordings are cut into frames."""

import numpy as np
import pytest

from traces import RoutingTrace, generators
from traces.generators import Law
from traces.generators.frames import MOST_FRAMES, frames_of


class Pieces:
    """A trace in pieces."""

    def __init__(self, law, steps, block):
        self.law, self.steps, self.block = law, steps, block

    def blocks(self):
        """Yield them."""
        return generators.counts(self.law, self.steps, block_steps=self.block)


@pytest.mark.parametrize("steps", [2, MOST_FRAMES, MOST_FRAMES + 1, 2100])
@pytest.mark.parametrize("block", [7, 4000])
def test_at_most_512_frames_whatever_the_pieces(steps, block):
    """Powers of two steps each; nothing but an incomplete last frame is left out."""
    law = Law(1, 4, 1, step_tokens=10)
    frames = frames_of(Pieces(law, steps, block))
    assert len(frames.counts) <= MOST_FRAMES
    assert frames.steps == {2: 1, 512: 1, 513: 2, 2100: 8}[steps]
    whole = len(frames.counts) * frames.steps
    assert steps - whole < 2 * frames.steps
    assert (
        frames.counts.sum(axis=0) == generators.trace(law, steps).counts[:whole].sum(axis=0)
    ).all()
    assert (frames.tokens == 10 * frames.steps).all()


def test_frames_of_a_stated_size():
    """An incomplete last one is left out, an idle one too."""
    counts = np.ones((7, 1, 2), int)
    counts[2:4] = 0
    frames = frames_of(RoutingTrace(counts, "toy", 1), 2)
    assert frames.counts.tolist() == [[[2, 2]], [[2, 2]]]
    assert frames.chance.tolist() == [[[0.5, 0.5]], [[0.5, 0.5]]]


def test_only_the_first_frames():
    """As many as asked for, and no block beyond them is read."""
    law = Law(1, 4, 1, step_tokens=10)
    frames = frames_of(Pieces(law, 50, 4), 3, most=5)
    assert frames.tokens.tolist() == [30] * 5
    assert (frames.counts.sum(axis=0) == generators.trace(law, 15).counts.sum(axis=0)).all()
    assert len(frames.step_tokens) == 16
    assert len(frames_of(Pieces(law, 9, 4), 3, most=5).counts) == 3


def test_too_short_a_trace_is_refused():
    """One frame, or one with tokens, says nothing about time."""
    with pytest.raises(ValueError, match="the trace has 1 frames of 2 steps"):
        frames_of(RoutingTrace(np.ones((3, 1, 2)), "toy", 1), 2)
    idle = np.zeros((3, 1, 2))
    idle[0] = 1
    with pytest.raises(ValueError, match="steps of a frame = 0 < 1"):
        frames_of(RoutingTrace(np.ones((3, 1, 2)), "toy", 1), 0)
    with pytest.raises(ValueError, match="fewer than two frames of the trace have tokens"):
        frames_of(RoutingTrace(idle, "toy", 1))

"""The outline of windows: the steps that they hold, before any routing."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from traces.workload.composition import Composition

if TYPE_CHECKING:
    from traces.workload.composer import Composer

#: Steps of a window composed at once, at most.
CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Outline:
    """One window to come.

    Parameters
    ----------
    start_s, end_s
        Bounds in seconds.
    parts
        Its steps, one composition after another.
    """

    start_s: float
    end_s: float
    parts: tuple[Composition, ...]

    @cached_property
    def phase(self) -> NDArray[np.uint8]:
        """[steps] phase of each of its steps."""
        return np.concatenate([np.zeros(0, np.uint8), *(part.phase for part in self.parts)])


def outlines_of_seconds(composer: "Composer", start_s: float, window_s: float) -> Iterator[Outline]:
    """Yield windows of ``window_s`` from ``start_s`` on, as long as a step starts after one.

    A step belongs to the window in which it starts.
    """
    number = 0
    while True:
        end_s = start_s + (number + 1) * window_s
        parts = []
        while (part := composer.take(CHUNK, end_s)) is not None:
            parts.append(part)
        if composer.is_done:
            return
        yield Outline(start_s + number * window_s, end_s, tuple(parts))
        number += 1


def outlines_of_steps(composer: "Composer", window_steps: int) -> Iterator[Outline]:
    """Yield windows of ``window_steps`` steps; one that is incomplete is left out."""
    while True:
        parts, missing = [], window_steps
        while missing:
            part = composer.take(min(CHUNK, missing))
            if part is None:
                return
            parts.append(part)
            missing -= part.num_steps
        # a window ends where the next step starts, or would start, had there been more requests
        yield Outline(float(parts[0].time_s[0]), composer.next_start_s, tuple(parts))

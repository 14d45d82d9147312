"""The outline of windows: which steps they hold and which are sampled, before any routing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from traces.workload.composer import Composer

#: Steps composed at once.
CHUNK = 256


@dataclass(frozen=True, eq=False)
class Outline:
    """One window to come.

    Parameters
    ----------
    start_s, end_s
        Bounds in seconds.
    phase
        [steps] of each of its steps.
    """

    start_s: float
    end_s: float
    phase: NDArray[np.uint8]


def outlines_of_seconds(composer: "Composer", start_s: float, window_s: float) -> Iterator[Outline]:
    """Yield windows of ``window_s`` from ``start_s`` on, as long as a step starts after one.

    A step belongs to the window in which it starts.
    """
    ends, phases = start_s + window_s, _Phases(composer)
    number = 0
    while True:
        phase, left = phases.until(ends)
        if not left:
            return
        yield Outline(start_s + number * window_s, ends, phase)
        number += 1
        ends = start_s + (number + 1) * window_s


def outlines_of_steps(composer: "Composer", window_steps: int) -> Iterator[Outline]:
    """Yield windows of ``window_steps`` steps; one that is incomplete is left out."""
    phases = _Phases(composer)
    while phases.fill(window_steps):
        start_s = phases.time_s[0]
        phase = phases.take(window_steps)
        # the last window ends where another step would start, had there been more requests
        end_s = phases.time_s[0] if phases.fill(1) else phases.end_s
        yield Outline(float(start_s), float(end_s), phase)


class _Phases:
    """Times and phases of composed steps, a little ahead of what is taken."""

    def __init__(self, composer: "Composer") -> None:
        self._composer = composer
        self.time_s, self._phase = np.zeros(0), np.zeros(0, np.uint8)

    @property
    def end_s(self) -> float:
        """Second at which the last composed step ends."""
        return self._composer.clock_s

    def fill(self, steps: int) -> bool:
        """Compose until this many steps are ahead; return whether there are."""
        while len(self.time_s) < steps:
            if not self._more():
                return False
        return True

    def take(self, steps: int) -> NDArray[np.uint8]:
        """Return the phases of the next steps."""
        taken, self._phase = self._phase[:steps], self._phase[steps:]
        self.time_s = self.time_s[steps:]
        return taken

    def until(self, end_s: float) -> tuple[NDArray[np.uint8], bool]:
        """Return the phases of the steps that start before ``end_s``, and whether others follow."""
        while not len(self.time_s) or self.time_s[-1] < end_s:
            if not self._more():
                break
        steps = int(np.searchsorted(self.time_s, end_s))
        left = steps < len(self.time_s)
        return self.take(steps), left

    def _more(self) -> bool:
        composition = self._composer.take(CHUNK)
        if composition is None:
            return False
        self.time_s = np.concatenate([self.time_s, composition.time_s])
        self._phase = np.concatenate([self._phase, composition.phase])
        return True

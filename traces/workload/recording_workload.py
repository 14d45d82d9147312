"""A recording of engine steps, used as it is: a workload whose steps need no composing."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.header import PHASES
from traces.request_checks import check_positive
from traces.routing import RoutingTrace
from traces.workload.engine_steps import EngineSteps
from traces.workload.engine_window import EngineWindow
from traces.workload.stratified import stratified
from traces.workload.window_lengths import check_window, no_window

#: Steps of one chunk.
CHUNK = 256


@dataclass(frozen=True, eq=False)
class RecordingWorkload:
    """Per-step counts of a real engine on its own time axis.

    Its steps are one draw: windows are sums of recorded steps, and there are no other sequences
    to split off. What makes the history is judged by later steps alone.

    Parameters
    ----------
    recording
        Counts of each engine step. Each step is one forward pass; a dump of windows is not.
    time_s
        [steps] second at which each step starts, never falling; or one number, the seconds of
        every step. None takes the times that the recording has.
    seed
        Of the choice of steps that windows sample.

    Raises
    ------
    ValueError
        If times fall, are negative or no numbers, are not one a step, or are not known.
    """

    recording: RoutingTrace
    time_s: ArrayLike | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given = self.recording.time_s if self.time_s is None else self.time_s
        if given is None:
            raise ValueError(
                "the recording has no times of its steps; give time_s, the seconds of every step"
            )
        times = np.array(given, dtype=np.float64)
        steps = self.recording.num_steps
        if times.ndim == 0:
            check_positive(time_s=float(times))
            times = float(times) * np.arange(steps, dtype=np.float64)
        if times.shape != (steps,):
            raise ValueError(f"time_s has shape {times.shape}; give [{steps}], one for each step")
        if not (np.isfinite(times).all() and times[0] >= 0 and (np.diff(times) >= 0).all()):
            raise ValueError("time_s falls, is negative or no number; give rising seconds from 0")
        times.flags.writeable = False
        object.__setattr__(self, "time_s", times)

    @property
    def num_layers(self) -> int:
        """MoE layers."""
        return self.recording.num_layers

    @property
    def num_experts(self) -> int:
        """Routed experts of a layer."""
        return self.recording.num_experts

    @property
    def _times(self) -> NDArray[np.float64]:
        return np.asarray(self.time_s, dtype=np.float64)

    def steps(self) -> Iterator[EngineSteps]:
        """Yield the recorded steps in chunks."""
        for start in range(0, self.recording.num_steps, CHUNK):
            stop = min(start + CHUNK, self.recording.num_steps)
            yield self._between(start, stop)

    def windows(
        self,
        *,
        window_steps: int | None = None,
        window_s: float | None = None,
        sampled_steps: int = 16,
    ) -> Iterator[EngineWindow]:
        """Yield consecutive windows, as :meth:`traces.workload.Workload.windows` does.

        A window of seconds counts from the first step. Parameters and errors are the same.
        """
        check_window(window_steps, window_s, sampled_steps)
        random = np.random.default_rng(self.seed)
        bounds = self._bounds(window_steps, window_s)
        if len(bounds) < 2:
            raise no_window(window_steps, window_s)
        for number, (low, high) in enumerate(pairwise(bounds)):
            window = self._between(low[0], high[0])
            places, weight = stratified(window.phase, sampled_steps, random)
            yield EngineWindow(
                number,
                low[1],
                high[1],
                window.num_steps,
                int(window.tokens.sum()),
                window.counts.sum(axis=0, dtype=np.int64),
                window.take(places),
                weight,
            )

    def _bounds(self, window_steps: int | None, window_s: float | None) -> list[tuple[int, float]]:
        """Return first step and second of each window and of the end of the last one."""
        times, steps = self._times, self.recording.num_steps
        if window_steps is not None:
            firsts = range(0, steps + 1, window_steps)
            # a recording does not say when its last step ends: when it starts will do
            return [(first, float(times[min(first, steps - 1)])) for first in firsts]
        assert window_s is not None
        number = int((times[-1] - times[0]) // window_s)
        seconds = times[0] + np.arange(number + 1) * window_s
        return [(int(np.searchsorted(times, second)), float(second)) for second in seconds]

    def _between(self, start: int, stop: int) -> EngineSteps:
        assert self.recording.step_tokens is not None
        steps = stop - start
        phase = np.full(steps, PHASES.index(self.recording.phase), dtype=np.uint8)
        return EngineSteps(
            self.recording.model,
            self.recording.top_k,
            np.arange(start, stop),
            self._times[start:stop],
            phase,
            self.recording.step_tokens[start:stop],
            np.full(steps, -1, dtype=np.int64),
            self.recording.counts[start:stop],
        )

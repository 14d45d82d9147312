"""Whether a recording is long enough to be replayed step by step, and in which windows."""

from typing import Any

import numpy as np

import traces
from evaluation.kinds.own.recording import OwnRecording
from evaluation.kinds.own.setup import OwnSetup

#: Seconds of a window, the interval of xDeepServe (arXiv:2508.02520).
WINDOW_S = 60.0
#: Fewest windows: one is observed, and five are judged.
FEWEST = 6
#: The same for windows of a length that the user asks for.
FEWEST_ASKED = 4
#: Most windows that a recording without times is cut into, and the fewest steps of each: shorter
#: ones would make a rebalance dearer than it is.
MOST, FEWEST_STEPS = 12, 500


def is_replayed(trace: traces.RoutingTrace, setup: OwnSetup) -> bool:
    """Return whether a trace of counts has enough windows to be replayed as it is."""
    times = trace.time_s
    seconds = 0.0 if times is None else float(times[-1] - times[0])
    return _window(trace.num_steps, seconds, setup) is not None


def window_of(recording: OwnRecording, setup: OwnSetup) -> dict[str, Any]:
    """Return the window of a recording that is replayed, as keys of a scenario."""
    found = _window(recording.steps, recording.duration_s, setup)
    assert found is not None  # is_replayed()
    return found


def _window(steps: int, seconds: float, setup: OwnSetup) -> dict[str, Any] | None:
    if setup.window_steps is not None:
        enough = steps // setup.window_steps >= FEWEST_ASKED
        return {"window_steps": setup.window_steps} if enough else None
    if setup.window_s is not None:
        enough = seconds // setup.window_s >= FEWEST_ASKED
        return {"window_s": setup.window_s} if enough else None
    if seconds // WINDOW_S >= FEWEST:
        return {"window_s": WINDOW_S}
    windows = int(np.clip(steps // FEWEST_STEPS, 0, MOST))
    return {"window_steps": steps // windows} if windows >= FEWEST else None

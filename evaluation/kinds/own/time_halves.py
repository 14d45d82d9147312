"""A recording of steps in two halves of its time: one is planned from, the other judged."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import traces
from evaluation.kinds.own.recording import OwnRecording
from traces.statistics.drift import Drift

#: The halves count as different loads if they differ by so many times what the drawing of tokens
#: explains. An assumption of ours; with hundreds of experts the drawing alone stays within 3 %.
BEYOND_CHANCE = 1.1


def time_halves(recording: OwnRecording, trace: traces.RoutingTrace) -> OwnRecording:
    """Return the recording with its halves apart, if their loads differ by more than by chance.

    Otherwise both are drawn from all of it: two halves with few tokens would make the next window
    look like another load, which it is not.

    Parameters
    ----------
    recording
        Totals; its path is where the trace is saved, and the halves are saved beside it.
    trace
        [steps, layers, experts].
    """
    middle = trace.num_steps // 2
    if trace.num_steps < 2:
        note = "a single step: nothing says how its loads change with time"
        return replace(recording, notes=(*recording.notes, note))
    halves = [
        trace.counts[part].sum(axis=0, dtype=np.int64)
        for part in (slice(middle), slice(middle, None))
    ]
    if min(half.sum(axis=1).min() for half in halves) == 0:
        return recording
    apart, chance = _apart(halves, trace.top_k)
    text = f"its halves in time differ by {apart:.3f} of the load, {chance:.3f} of it by chance"
    if apart <= BEYOND_CHANCE * chance:
        return replace(
            recording, notes=(*recording.notes, f"{text}: both are drawn from all of it")
        )
    paths = [recording.path.with_name(f"{recording.name}-{n}-half.parquet") for n in (1, 2)]
    for path, half in zip(paths, halves, strict=True):
        one = traces.RoutingTrace(half[None], trace.model, trace.top_k, trace.phase)
        traces.save(one, path)
    note = f"{text}: solvers see the first, and the second is judged"
    return replace(recording, path=paths[0], judged=paths[1], notes=(*recording.notes, note))


def _apart(halves: list[NDArray[np.int64]], top_k: int) -> tuple[float, float]:
    """Return the total variation between two loads, and that of two draws from one load."""
    layers, experts = halves[0].shape
    drift = Drift(layers, experts, top_k, ())
    for half in halves:
        drift.add(half.astype(np.float64))
    return float(drift.distance.mean()), float(drift.distance_by_chance.mean())

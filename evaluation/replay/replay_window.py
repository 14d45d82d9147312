"""One window of a replay: what joins the history, and the steps that are priced."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.trace_windows import windows


@dataclass(frozen=True, eq=False)
class ReplayWindow:
    """One window of engine time.

    Parameters
    ----------
    observed
        [layers, experts] tokens that the solver sees once the window has ended.
    load
        [layers, experts] tokens of the whole window on which a placement is judged. They are other
        tokens than ``observed`` where a workload has disjoint sequences for both.
    counts
        [steps, layers, experts] tokens of the steps that are priced.
    tokens
        [steps] tokens of each.
    weight
        [steps] engine steps that each stands for.
    num_steps
        Steps of the whole window: recorded ones of a trace, engine steps of a workload.
    phases
        "decode" or "prefill" of each step; empty: all of them have the phase of the scenario.
    """

    observed: NDArray[np.int64]
    load: NDArray[np.int64]
    counts: NDArray[np.int32]
    tokens: NDArray[np.int64]
    weight: NDArray[np.float64]
    num_steps: int
    phases: tuple[str, ...] = ()


def trace_replay_windows(trace: Any, window_steps: int) -> Iterator[ReplayWindow]:
    """Yield the windows of a trace: every recorded step is priced, and is one of the engine.

    Parameters are those of :func:`evaluation.replay.trace_windows.windows`.
    """
    for counts, tokens in windows(trace, window_steps):
        load = counts.sum(axis=0, dtype=np.int64)
        weight = np.ones(len(counts))
        yield ReplayWindow(load, load, counts, tokens, weight, len(counts))

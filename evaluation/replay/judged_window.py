"""One window of a scenario, and what a solver sees before it."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.replay_window import ReplayWindow
from evaluation.replay.scenario import Scenario
from evaluation.replay.traffic import traffic_of, windows_of


@dataclass(frozen=True, eq=False)
class JudgedWindow:
    """A window on which placements are judged that were made for the windows before it.

    Parameters
    ----------
    number
        Of the window in its scenario, from 1; window 0 is only observed.
    history
        [windows, layers, experts] observed tokens of the windows before it, oldest first.
    last_steps
        Steps of the last of them.
    window
        The window itself.
    """

    number: int
    history: NDArray[np.int64]
    last_steps: int
    window: ReplayWindow

    @property
    def load_change(self) -> float:
        """Share of the tokens that are at other experts than in the last window, mean over layers.

        It is the total variation distance between the two popularities of experts. Layers without
        tokens in one of the windows are left out; 0 if no layer remains.
        """
        loads = [load.astype(np.float64) for load in (self.history[-1], self.window.load)]
        known = (loads[0].sum(axis=1) > 0) & (loads[1].sum(axis=1) > 0)
        if not known.any():
            return 0.0
        before, after = (load[known] / load[known].sum(axis=1, keepdims=True) for load in loads)
        return float(np.abs(after - before).sum(axis=1).mean() / 2)


def judged_window(scenario: Scenario, seed: int = 0, number: int | None = None) -> JudgedWindow:
    """Return a window of a scenario's traffic, and the windows that a solver sees before it.

    Parameters
    ----------
    scenario
        Of a trace or of a workload.
    seed
        Repetition of drawn traffic.
    number
        Of the window, from 1. ``None``: the first one after the mixture of requests changes, or
        the last one where it does not change.

    Raises
    ------
    ValueError
        If there is no such window with another one before it, or the traffic is of another model.
    """
    if number is not None and number < 1:
        raise ValueError(f"window = {number} < 1; window 0 is only observed, judge a later one")
    traffic = traffic_of(scenario, seed)
    scenario.check_trace(traffic)
    wanted = scenario.change_window if number is None else number
    seen: deque[ReplayWindow] = deque(maxlen=scenario.history_windows + 1)
    count = 0
    for window in windows_of(traffic, scenario):
        seen.append(window)
        count += 1
        if wanted is not None and count > wanted:
            break
    if count < 2:
        raise ValueError(
            f"scenario {scenario.id!r} has {count} windows < 2, one observed and the next one "
            "judged; give shorter windows or longer traffic"
        )
    if wanted is not None and wanted >= count:
        raise ValueError(
            f"window = {wanted} breaks window <= {count - 1}, the last one of scenario "
            f"{scenario.id!r}"
        )
    *before, judged = seen
    history = np.stack([window.observed for window in before])
    return JudgedWindow(count - 1, history, before[-1].num_steps, judged)


def thinned(window: ReplayWindow, most_steps: int) -> ReplayWindow:
    """Return a window with at most so many priced steps, evenly spaced; they stand for all.

    Raises
    ------
    ValueError
        If ``most_steps`` is below 1.
    """
    if most_steps < 1:
        raise ValueError(f"steps = {most_steps} < 1; give at least one step")
    steps = len(window.counts)
    if steps <= most_steps:
        return window
    kept = np.arange(most_steps) * steps // most_steps
    return replace(
        window,
        counts=window.counts[kept],
        tokens=window.tokens[kept],
        weight=np.full(most_steps, window.weight.sum() / most_steps),
        phases=tuple(window.phases[step] for step in kept) if window.phases else (),
    )

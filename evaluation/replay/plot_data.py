"""Numbers that a report plots of a replay: step breakdown, rank load and busiest links."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.replay_log import ReplayLog
from evaluation.step.exchange import Exchange, exchange
from evaluation.step.executor import StepExecutor

#: Numbers of rank load in a record. If the layers do not fit, evenly spaced ones are kept.
MAX_NUMBERS = 2048
MAX_LINKS = 24


def breakdown(log: ReplayLog) -> dict[str, float]:
    """Return the mean seconds of an engine step by phase; they add up to step and migration.

    ``attention`` and ``experts`` are those of the mean rank. ``waits`` is what the mean rank then
    waits for the slowest rank at the two barriers.
    """
    steps = float(np.sum(log.engine_steps))
    phases = {phase: seconds / steps for phase, seconds in log.phase_s.items()}
    return {**phases, "migration": float(np.sum(log.migration_s)) / steps}


def rank_load(log: ReplayLog) -> dict[str, Any]:
    """Return :func:`relative_load` of the last window."""
    return relative_load(log.rank_load)


def relative_load(load: NDArray[np.float64]) -> dict[str, Any]:
    """Return [layers, ranks] load over the mean of the ranks, with three decimals.

    Returns
    -------
    dict
        ``layers``: the layers that were kept. ``relative``: a row of ranks for each of them.
    """
    layers, ranks = load.shape
    count = max(1, min(layers, MAX_NUMBERS // ranks))
    kept = np.unique(np.linspace(0, layers - 1, count).round().astype(np.int64))
    mean = load.mean(axis=1, keepdims=True)
    ratio = np.divide(load, mean, out=np.ones_like(load), where=mean > 0)
    return {"layers": kept.tolist(), "relative": ratio[kept].round(3).tolist()}


def links(log: ReplayLog, executor: StepExecutor) -> list[dict[str, Any]]:
    """Return the busiest links in the mean step of the last window, and their utilisation.

    Tokens start evenly spread over the ranks. Of several equally busy links one is listed, with the
    number of ``others``.
    """
    tokens = log.rank_load[None] / log.last_steps
    dispatch, combine = (exchange(executor.collectives, tokens, n) for n in ("dispatch", "combine"))
    last = slice(log.first_steps[-1], None)
    step_s = float(np.sum(log.step_s[last])) / float(np.sum(log.engine_steps[last]))
    # Only the busy seconds of the sum are used: Exchange.busiest sorts and groups its links.
    both = Exchange("both", dispatch.link_busy_s + combine.link_busy_s, 0.0, 0.0)
    return [
        {
            "link": " – ".join(map(str, busy.link)),
            "utilisation": round(busy.busy_s / step_s, 4),
            "others": busy.others,
        }
        for busy in both.busiest(executor.collectives.fabric, MAX_LINKS)
    ]

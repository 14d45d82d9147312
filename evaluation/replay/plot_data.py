"""What a report draws of a replay: step breakdown, rank load of the last window, busiest links."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.replay.replay import Deployment, Replayed
from evaluation.step.exchange import exchange
from evaluation.step.executor import StepExecutor

#: Numbers of rank load in a record; of more layers than fit, some are taken evenly.
MOST_NUMBERS = 2048
MOST_LINKS = 24


def breakdown(replayed: Replayed, deployment: Deployment) -> dict[str, float]:
    """Return mean seconds of an engine step by phase; they add up to step and migration.

    ``attention`` and ``experts`` are those of the mean rank, ``waits`` what the mean rank then
    waits for the slowest at the two barriers.
    """
    steps = len(replayed.step_s) * deployment.hold_steps
    found = {phase: seconds / steps for phase, seconds in replayed.phase_s.items()}
    return {**found, "migration": float(np.sum(replayed.migration_s)) / steps}


def rank_load(replayed: Replayed) -> dict[str, Any]:
    """Return load over mean of the ranks in the last window; see :func:`relative`."""
    return relative(replayed.rank_load)


def relative(load: NDArray[np.float64]) -> dict[str, Any]:
    """Return [layers, ranks] load over mean of the ranks, a row a layer, three decimals."""
    layers, ranks = load.shape
    count = max(1, min(layers, MOST_NUMBERS // ranks))
    chosen = np.unique(np.linspace(0, layers - 1, count).round().astype(np.int64))
    mean = load.mean(axis=1, keepdims=True)
    over = np.divide(load, mean, out=np.ones_like(load), where=mean > 0)
    return {"layers": chosen.tolist(), "relative": over[chosen].round(3).tolist()}


def links(
    replayed: Replayed, executor: StepExecutor, deployment: Deployment
) -> list[dict[str, Any]]:
    """Return the busiest links in the mean step of the last window, and for what part of it.

    Tokens start evenly spread. Of links that are equally busy one is named, with how many
    ``others`` there are.
    """
    fabric = executor.collectives.fabric
    tokens = replayed.rank_load[None] / deployment.window_steps
    dispatch, combine = (exchange(executor.collectives, tokens, n) for n in ("dispatch", "combine"))
    size = deployment.window_steps
    step_s = float(np.mean(replayed.step_s[-size:])) / deployment.hold_steps
    # busiest() orders and merges whatever it is given
    busy = dispatch.link_busy_s + combine.link_busy_s
    both = type(dispatch)("both", busy, 0.0, 0.0)
    return [
        {
            "link": " – ".join(map(str, found.link)),
            "utilisation": round(found.busy_s / step_s, 4),
            "others": found.others,
        }
        for found in both.busiest(fabric, MOST_LINKS)
    ]

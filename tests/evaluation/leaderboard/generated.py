"""Rows with a known truth: observations drawn from a law."""

import numpy as np

from evaluation.leaderboard.observations import Observations
from evaluation.records.identity import ScenarioTrace


def standard(random, shape, law):
    """Return draws of mean 0 and deviation 1; "skewed" ones have a skewness of 1."""
    if law == "skewed":
        return (random.gamma(4.0, size=shape) - 4) / 2
    return random.standard_normal(shape)


def rows(efficiency, taken, seeds=None):
    """Return rows whose repetitions have these efficiencies and take these seconds.

    Parameters
    ----------
    efficiency, taken
        [rows, scenarios, repetitions].
    seeds
        Seeds of the repetitions by scenario; 0, 1, … by default.
    """
    ideal = efficiency * taken
    count = ideal.shape[2]
    traces = [
        [
            ScenarioTrace(f"s{scenario}", seed)
            for seed in (seeds[scenario] if seeds else range(count))
        ]
        for scenario in range(ideal.shape[1])
    ]
    return [
        {
            own[0].scenario: {
                trace: Observations(above[at].reshape(1, 1), below[at].reshape(1, 1))
                for at, trace in enumerate(own)
            }
            for own, above, below in zip(traces, row_ideal, row_taken, strict=True)
        }
        for row_ideal, row_taken in zip(ideal, np.broadcast_to(taken, ideal.shape), strict=True)
    ]
